"""Which encoding a short text is in: each language's sentences in each of its encodings."""

from __future__ import annotations

import time

import pytest

from ftrag.encodings import decode

SENTENCES = {  # encodings: sentences
    "cp1252": [
        "Der Hafenmeister öffnet das Büro um acht.",
        "Größere Boote zahlen den doppelten Preis.",
        "Bitte schließen Sie abends das Tor ab.",
        "Le bateau arrive à midi et repart le soir.",
        "Où se trouve la clé de la cabine près du quai ?",
        "Les tarifs ont été fixés l'été dernier.",
        "El muelle está cerrado mañana por la tarde.",
        "Å fortøye båten koster tretti kroner.",
    ],
    "cp1250 iso8859_2": [
        "Łódź można wypożyczyć na cały dzień.",
        "Biuro portu jest otwarte w każdą środę.",
        "Za późny powrót płaci się dziesięć złotych.",
        "Kancelář přístavu je otevřena každé úterý.",
        "Člun si můžete půjčit na celý den.",
        "Za pozdní návrat se platí čtyřicet korun.",
        "A kikötő irodája hétfőn reggel nyit ki.",
        "Csónakot egész napra lehet bérelni tőlünk.",
        "A késői visszatérésért külön díjat kell fizetni.",
    ],
    "cp1251 koi8_r iso8859_5": [
        "Контора порта открыта по вторникам.",
        "Лодку можно взять напрокат на весь день.",
        "За позднее возвращение берут десять рублей.",
    ],
    "cp1253 iso8859_7": [
        "Το γραφείο του λιμανιού ανοίγει την Τρίτη.",
        "Μπορείτε να νοικιάσετε βάρκα για όλη μέρα.",
        "Η καθυστέρηση κοστίζει δέκα δραχμές.",
    ],
    "cp1255 iso8859_8": [
        "משרד הנמל פתוח בימי שלישי בבוקר.",
        "אפשר לשכור סירה ליום שלם.",
        "על איחור משלמים עשרה שקלים.",
    ],
    "cp1256 iso8859_6": [
        "مكتب الميناء مفتوح يوم الثلاثاء صباحا.",
        "يمكن استئجار القارب ليوم كامل.",
        "يدفع المتأخر عشرة دنانير عن كل ساعة.",
    ],
    "cp1254": [
        "Liman ofisi salı günleri açıktır.",
        "Bütün gün için kayık kiralayabilirsiniz.",
        "Geç dönenler on lira fazla öder.",
    ],
    "cp874 tis_620": [
        "สำนักงานท่าเรือเปิดทุกวันอังคาร",
        "คุณสามารถเช่าเรือได้ทั้งวัน",
        "คืนเรือช้าต้องจ่ายเพิ่มสิบบาท",
    ],
    "shift_jis euc_jp": [
        "港の事務所は火曜日に開いています。",
        "ボートは一日中借りることができます。",
        "返却が遅れると追加料金がかかります。",
    ],
    "euc_kr": [
        "항구 사무실은 화요일에 문을 엽니다.",
        "배는 하루 종일 빌릴 수 있습니다.",
        "늦게 돌려주면 요금을 더 내야 합니다.",
    ],
    "gb18030": [
        "港口办公室每个星期二开门。",
        "您可以租一条小船用一整天。",
        "如果还船太晚，要多付十元。",
    ],
    "big5": [
        "港口辦公室每個星期二開門。",
        "您可以租一條小船用一整天。",
        "如果還船太晚，要多付十元。",
    ],
}
ROWS = [(name, text) for names, texts in SENTENCES.items() for name in names.split() for text in texts]


@pytest.mark.parametrize(("encoding", "text"), ROWS)
def test_one_sentence_tells_its_encoding(encoding, text):
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("texts", SENTENCES.values(), ids=SENTENCES)
def test_unicode_needs_no_mark(encoding, texts):
    assert [decode(text.encode(encoding)) for text in texts] == texts


@pytest.mark.parametrize(("encoding", "texts"), [(n, t) for names, t in SENTENCES.items() for n in names.split()])
def test_a_long_text_tells_its_encoding_in_time(encoding, texts):
    text = "".join(f"{number}. Hall B\n\n{line}\n" for number, line in enumerate(texts[:3] * 3_000))
    start = time.process_time()
    assert decode(text.encode(encoding)) == text
    assert time.process_time() - start < 5


def test_a_sample_that_cuts_a_character_is_no_reason_against_its_encoding():
    text = "，" + "港口办公室每个星期二开门" * 2_000
    assert [decode(one.encode("gb18030")) for one in (text, "a" + text)] == [text, "a" + text]


@pytest.mark.parametrize("text", ["10 m³ Wasser, 20 °C, § 5", "The résumé costs £5.", "«Prix» : 5 €"])
def test_signs_of_western_texts_are_no_letters_of_others(text):
    assert decode(text.encode("cp1252")) == text
