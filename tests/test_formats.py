"""What strangers' files hold beside plain text: other encodings, tables as people save them, Word's hidden corners."""

from __future__ import annotations

import io
import stat
import time
import zipfile
from pathlib import Path

import pytest

from ftrag.documents import _in_child, extract, location, locator, unpack
from ftrag.errors import InputError
from ftrag.layout import Parsed
from ftrag.parsers import html
from ftrag.types import Document, Location
from ftrag.zips import flat_names
from tests.test_documents import pdf, save, where

GERMAN = "Die Gebühr für große Boote beträgt vierzig Taler."
CHINESE = "停泊费用为每月三十元。港口办公室在周一开放。"
JAPANESE = "停泊料金は毎月三千円です。港の事務所は月曜日に開きます。"
RUSSIAN = "Стоянка стоит тридцать рублей в месяц."


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-16-le", GERMAN),
        ("utf-16-be", GERMAN),
        ("utf-32", GERMAN),
        ("utf-8-sig", GERMAN),
        ("latin-1", GERMAN),
        ("cp1252", "Le tarif est de 5 € pour l’année – déjà payé."),
        ("cp1252", "La tarifa de amarre es de 30 euros; mañana también."),
        ("cp1252", "Båtplatsen kostar trettio kronor för små båtar."),
        ("cp1252", "The résumé costs £5."),
        ("cp1250", "Přístavní poplatek činí třicet korun měsíčně."),
        ("cp1250", "Opłata portowa wynosi trzydzieści złotych miesięcznie."),
        ("cp1254", "Bağlama ücreti ayda otuz liradır."),
        ("koi8_r", "Билеты продаются в кассе."),
        ("cp1251", "Билеты продаются в кассе."),
        ("cp1251", "Квитки продаються в касі щодня."),
        ("cp1255", "הכרטיסים נמכרים בקופה."),
        ("cp1255", "ספר טלפונים של העירייה"),
        ("cp1253", "Τα εισιτήρια πωλούνται στο ταμείο."),
        ("cp1256", "تباع التذاكر في شباك التذاكر."),
        ("gb18030", CHINESE),
        ("shift_jis", JAPANESE),
        ("cp1251", RUSSIAN),
    ],
)
def test_one_sentence_is_enough_to_tell_an_encoding(tmp_path, encoding, text):
    assert extract(save(tmp_path, "a.txt", text.encode(encoding)))[0].text == text


@pytest.mark.parametrize(
    ("declared", "encoding", "text"),
    [
        ("iso-8859-1", "cp1252", "Le tarif : 5 € – déjà payé."),  # browsers read the name as cp1252
        ("Shift_JIS", "shift_jis", JAPANESE),
        ("gb2312", "gb18030", CHINESE),
        ("", "utf-8", RUSSIAN),
        ("", "utf-16", GERMAN),
        ("ascii", "utf-8", CHINESE),  # a wrong declaration
    ],
)
def test_html_is_read_as_it_declares(tmp_path, declared, encoding, text):
    head = f"<meta charset='{declared}'>" if declared else ""
    page = f"<html><head>{head}</head><body><p>{text}</p></body></html>".encode(encoding)
    assert extract(save(tmp_path, "a.html", page))[0].text == text


@pytest.mark.parametrize(
    ("page", "text"),
    [
        (  # end tags that HTML lets writers leave out
            "<table><tr><th>boat<th>price<tr><td>Pike<td>31<tbody><tr><td>Roach<td>12</table><p>end",
            "| boat | price |\n| --- | --- |\n| Pike | 31 |\n| Roach | 12 |\n\nend",
        ),
        ("<table><td>a<td><b>b</tr><td>c<td>d</table>", "| a | b |\n| --- | --- |\n| c | d |"),
        (  # a layout table
            "<table><tr><td>menu</td><td><table><tr><td>a</td><td>b</td></tr></table><p>low</p></td></tr></table>",
            "menu\n\n| a | b |\n| --- | --- |\n\nlow",
        ),
        ("<table><tr><td><p>one</p><p>two</p></td></tr></table>", "one\n\ntwo"),
        (  # paragraphs in the cells of data
            "<table><tr><td><p>a</p></td><td><ul><li>x<li>y</ul></td></tr></table>",
            "| a | x y |\n| --- | --- |",
        ),
        ("<table><caption>Prices <b>now</b></caption><tr><td>a<td>b</table>", "Prices now\n\n| a | b |\n| --- | --- |"),
        ("<table>stray<tr><form><td>a</form><td>b</table>", "stray\n\n| a | b |\n| --- | --- |"),
        ("<p hidden>no<p>yes<ul><li hidden>no<li>yes</ul><table><tr hidden><td>no</table>", "yes\n\n- yes"),
        ("<head><title>no</title><p>a &lt; &euro;1 AT&T <o:p>x</o:p><wbr>y", "a < €1 AT&T xy"),
        (
            "a<![CDATA[no]]>b<?no?>c<!no>d<!-->e<script src=/no/>no</script>f<iframe></iframe>g<pre>h<br>i",
            "abcdefg\n\n```\nh\ni\n```",
        ),
        ("&#" + "9" * 5_000 + ";", "\ufffd"),
    ],
)
def test_pages_are_read_as_browsers_read_them(tmp_path, page, text):
    assert extract(save(tmp_path, "a.html", page))[0].text == text


def test_a_heading_in_a_cell_names_a_section(tmp_path):
    path = save(tmp_path, "a.html", "<table><tr><td><h1>Fees</h2><p>A berth costs 4.<td>aside</table>")
    assert where(path, "berth") == "Fees"
    assert where(save(tmp_path, "b.html", "<table><tr><th><h4>a</h4><th>b<tr><td>1<td>2</table>"), "1") == "row 1"


def test_deep_pages_lose_nothing(tmp_path):
    path = save(tmp_path, "a.html", "<table><tr><td>x" * 3_000 + "<p hidden>no</p><i>" * 3_000 + "end")
    (document,) = extract(path)
    assert document.text.split() == ["x"] * 2_999 + ["|", "x", "end", "|", "|", "---", "|"]


@pytest.mark.parametrize(
    "junk",
    ["<table><tr><td>x", "<tr><td>x", "<!--", "<![CDATA[", "<?", "<a ", "<a b='", "</", "&", "<h1>", "<ul><li>"]
    + ["<table><caption>x", "<td><i>", "<script>", "<a b=", "<style></style", "<i>|</b>", "<ul>|</ol>", "<i>|<p></p>"],
)
def test_junk_is_read_in_time(junk):
    """Each takes under half a second here; html.parser took minutes. |: all of one before the other."""
    times = 100_000 // len(junk)
    start = time.process_time()
    html(("<table>" + "".join(part * times for part in junk.split("|"))).encode())
    assert time.process_time() - start < 8


def test_binary_data_is_no_page(tmp_path):
    with pytest.raises(InputError, match="binary data"):
        extract(save(tmp_path, "a.html", bytes(range(256)) * 20))


def test_markdown_table_rows_are_places(tmp_path):
    text = "# Fees\n\n| boat | price |\n|:--|--:|\n| Pike | 31 |\n| Roach | 12 |\n\n```\na | b\n- | -\n1 | 2\n```\n"
    path = save(tmp_path, "a.md", text + "\nname | note\n--- | ---\nGull | small\n")
    assert where(path, "Roach") == "Fees > row 2"
    assert where(path, "Gull") == "Fees > row 1"
    assert where(path, "1 | 2") == "Fees"


@pytest.mark.parametrize(("line", "title"), [("# C#", "C#"), ("## C# ##", "C#"), ("# x ##  ", "x"), ("# a#b", "a#b")])
def test_headings_keep_their_own_signs(tmp_path, line, title):
    assert where(save(tmp_path, "a.md", f"{line}\n\nfact\n"), "fact") == title


@pytest.mark.parametrize(
    "text",
    ["# x" + " " * 200_000 + "y\n", "A. " * 60_000, "# " + "word " * 60_000 + "\n\nfact"],
    ids=["spaces", "initials", "heading"],
)
def test_a_line_made_to_take_long_does_not(tmp_path, text):
    from ftrag.chunking import chunk

    start = time.process_time()
    (document,) = extract(save(tmp_path, "a.md", text))
    assert max((len(place.label) for place in document.locations), default=0) <= 200
    chunk(document)
    assert time.process_time() - start < 5


def test_a_large_page_is_read_under_limits(tmp_path, monkeypatch):
    path = save(tmp_path, "a.html", "<p>The <b>harbour</b> is wide.</p>\n" * 70_000)
    monkeypatch.setattr("ftrag.sandbox.seconds_for", lambda size, patience: 1)
    with pytest.raises(InputError, match="takes more than 1 s"):
        extract(path)


@pytest.mark.parametrize(
    ("page", "child"),
    [
        ("<p>" + "<b a>" * 1_500 + "<p>x" * 700, True),
        ("<a " + "b " * 60_000 + ">x", True),
        ("<p>The <b>harbour</b> is wide.</p>\n" * 200, False),
    ],
    ids=["many left open", "large", "small"],
)
def test_a_page_that_may_take_long_is_read_in_a_child(tmp_path, monkeypatch, page, child):
    """Unclosed <b a1><b a2>… before 13,000 <p> took 300 kB of page 76 s and all memory, in the app's own process."""
    called = []
    monkeypatch.setattr("ftrag.documents.Reader.parse", lambda *args: called.append(args) or Parsed("text"))
    extract(save(tmp_path, "a.html", page))
    assert bool(called) == child


@pytest.mark.parametrize(
    "page",
    [
        "<a " + " ".join(f"{i:x}" for i in range(19_000)) + ">x",
        "<p>" + "".join(f"<b {i:x}>" for i in range(480)) + "<p>x" * 830,
        "<p>" + "".join(f"<b q{i} {' '.join('acdefghijklmnoprstuvw')}>" for i in range(200)) + "<p>x" * 550,
        "<div>" * 1_400,
    ],
    ids=["attributes", "reopened", "reopened with attributes", "deep"],
)
def test_the_worst_pages_that_are_read_here_take_little_time(tmp_path, page):
    start = time.process_time()
    assert not _in_child(save(tmp_path, "a.html", page), "a.html")
    html(page.encode())
    assert time.process_time() - start < 6  # under 2 s here


@pytest.mark.parametrize(
    ("declared", "hidden"), [("utf7", "+ADw-b+AD4-"), ("unicode_escape", "\\u003cb>"), ("idna", "")]
)
def test_no_declaration_hides_tags(tmp_path, declared, hidden):
    page = f"<meta charset='{declared}'><p>a {hidden}</p>"
    assert extract(save(tmp_path, "a.html", page))[0].text == f"a {hidden}".strip()


def test_quotes_that_begin_late_in_a_table(tmp_path):
    rows = "".join(f"{i},a plain row without any quotes at all\n" for i in range(300))
    path = save(tmp_path, "a.csv", "id,text\n" + rows + '900,"He said ""yes"",\nand left"\n')
    assert 'id: 900; text: He said "yes", and left' in extract(path)[0].text
    assert where(path, "and left") == "row 301"


def test_a_table_of_one_column_keeps_its_commas(tmp_path):
    (document,) = extract(save(tmp_path, "a.csv", "sentence\nOne, two; three\nFour\n"))
    assert document.text == "sentence: One, two; three\nsentence: Four"


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("Price list 2026\n\nboat;price\nPike;31\n", "Price list 2026\nboat: Pike; price: 31"),
        ("Price list 2026;\n;\nboat;price\nPike;31\n", "Price list 2026\nboat: Pike; price: 31"),  # as Excel pads it
        ("Prices;\nboat;price\nPike;31\n", "Prices\nboat: Pike; price: 31"),
        ("Prices\na;b;c\n1;2;3\n4;5;6\n", "Prices\na: 1; b: 2; c: 3\na: 4; b: 5; c: 6"),
        ("All, for May, 2026\n\na,b,c,d,e,f\n1,2,3,4,5,6\n", "All for May 2026\na: 1; b: 2; c: 3; d: 4; e: 5; f: 6"),
        ("sep=;\r\nboat;price\r\nPike, blue;31\r\n", "boat: Pike, blue; price: 31"),
        ("sep=|\nPrices\n\nboat|price\nPike|31\n", "Prices\nboat: Pike; price: 31"),
        ("name,,\nPike,31,5\n", "name: Pike; column 2: 31; column 3: 5"),  # no title: no head is below it
        ("a,b\n1,2\n\n3,4,5\n", "a: 1; b: 2\na: 3; b: 4; column 3: 5"),
        ("text\nOne, two\nThree, four\n", "text: One, two\ntext: Three, four"),
    ],
)
def test_lines_above_the_head_of_a_table_are_no_columns(tmp_path, table, text):
    path = save(tmp_path, "a.csv", table)
    assert extract(path)[0].text == text
    assert where(path, text.split("\n")[-1]).startswith("row ")


def test_rows_are_counted_from_the_head_below_titles(tmp_path):
    rows = "".join(f"{boat};{price}\n" for price, boat in enumerate(("Pike", "Roach", "Gull")))
    path = save(tmp_path, "a.csv", "sep=;\nPrices\nfor all\n\nboat;price\n" + rows)
    (document,) = extract(path)
    assert [document.text[place.start : place.end] for place in document.locations][1] == "boat: Roach; price: 1"
    assert (where(path, "Prices"), where(path, "Gull")) == ("", "row 3")
    start, end = document.text.index("Roach"), document.text.index("Gull")
    assert location(document, start, end + 4) == "rows 2–3"


def test_a_cell_may_be_long(tmp_path):
    (document,) = extract(save(tmp_path, "a.csv", "id,text\n1," + "word " * 40_000 + "end\n"))
    assert document.text.endswith("word end")


def test_halves_of_surrogate_pairs_become_a_sign_that_can_be_kept(tmp_path):
    (document,) = extract(save(tmp_path, "a.jsonl", '{"a": "\\ud800 broken"}\n'))
    assert document.text == "a: \ufffd broken"


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-128", "AES-256"])
def test_a_pdf_with_a_password_is_refused_as_such(tmp_path, algorithm):
    import pypdf

    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf(["secret"])))
    try:
        writer.encrypt("password", algorithm=algorithm)
    except pypdf.errors.DependencyError:
        pytest.skip("AES needs the cryptography package to write")
    writer.write(tmp_path / "a.pdf")
    with pytest.raises(InputError, match="encrypted"):
        extract(tmp_path / "a.pdf")


def word_file(path: Path) -> Path:
    """With a content control, an insertion, a deletion, hidden text, a merged cell, a header and a footer."""
    import docx
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    file = docx.Document()
    file.add_heading("Prices", level=1)
    for inner in (
        "<w:sdt><w:sdtContent><w:p><w:r><w:t>A control.</w:t></w:r></w:p></w:sdtContent></w:sdt>",
        "<w:p><w:r><w:t>It </w:t></w:r><w:ins><w:r><w:t>costs 7.</w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText>six</w:delText></w:r></w:del><w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r></w:p>",
    ):
        name, rest = inner[1:].split(">", 1)
        file.element.body.insert(len(file.element.body) - 1, parse_xml(f"<{name} {nsdecls('w')}>{rest}"))
    table = file.add_table(rows=2, cols=2)
    table.cell(0, 0).merge(table.cell(0, 1)).text = "boats"
    table.cell(1, 0).text, table.cell(1, 1).text = "Pike", "31"
    file.sections[0].header.paragraphs[0].text = "Harbour rules"
    file.sections[0].footer.paragraphs[0].text = "Valid from May"
    file.save(str(path))
    return path


def test_a_word_file_says_all_that_a_reader_sees(tmp_path):
    (document,) = extract(word_file(tmp_path / "a.docx"))
    table = "| boats |  |\n| --- | --- |\n| Pike | 31 |"
    assert document.text == f"Prices\n\nA control.\n\nIt costs 7.\n\n{table}\n\nHarbour rules\n\nValid from May"
    assert where(tmp_path / "a.docx", "Pike") == "Prices > row 1"


def test_text_after_a_comment_or_an_entity_in_a_run_is_kept(tmp_path):
    (tmp_path / "secret").write_text("SECRET")
    declared = f'<!DOCTYPE w:document [<!ENTITY here "HERE"><!ENTITY x SYSTEM "{(tmp_path / "secret").as_uri()}">]>'
    said = b"A Fribble <!-- x -->costs &x;5501 &here;crowns<?x y?>."
    with (
        zipfile.ZipFile(word_file(tmp_path / "b.docx")) as source,
        zipfile.ZipFile(tmp_path / "a.docx", "w") as target,
    ):
        for row in source.namelist():
            data = source.read(row)
            if row == "word/document.xml":
                head, body = data.split(b"?>", 1)
                data = (
                    head
                    + b"?>"
                    + declared.encode()
                    + body.replace(b"A control.", said).replace(b"Pike", b"P<!---->ike")
                )
            target.writestr(row, data)
    text = extract(tmp_path / "a.docx")[0].text
    assert "\n\nA Fribble costs 5501 crowns.\n\n" in text and "| Pike | 31 |" in text
    assert "SECRET" not in text


def test_footnotes_follow_the_text(tmp_path):
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    note = "<w:footnote><w:p><w:r><w:t>Except dogs.</w:t></w:r></w:p></w:footnote>"
    notes = f'<w:footnotes xmlns:w="{word}">{note}</w:footnotes>'
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
    with (
        zipfile.ZipFile(word_file(tmp_path / "b.docx")) as source,
        zipfile.ZipFile(tmp_path / "a.docx", "w") as target,
    ):
        for row in source.namelist():
            data = source.read(row)
            if row == "[Content_Types].xml":
                data = data.replace(
                    b"</Types>", f'<Override PartName="/word/footnotes.xml" ContentType="{kind}"/></Types>'.encode()
                )
            elif row == "word/_rels/document.xml.rels":
                link = f'<Relationship Id="rId99" Type="{office}/footnotes" Target="footnotes.xml"/></Relationships>'
                data = data.replace(b"</Relationships>", link.encode())
            target.writestr(row, data)
        target.writestr("word/footnotes.xml", notes)
    assert "\n\nExcept dogs.\n\n" in extract(tmp_path / "a.docx")[0].text


def test_a_word_file_with_a_password_is_refused_as_such(tmp_path):
    with pytest.raises(InputError, match="has a password or is an old .doc"):
        extract(save(tmp_path, "a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2_000)))


def archive(folder: Path, members: list[tuple[str, bytes]], kind: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(folder / "a.zip", "w", kind) as made:
        for name, data in members:
            made.writestr(name, data)
    return folder / "a.zip"


def test_a_damaged_member_is_refused_and_the_rest_is_taken(tmp_path):
    path = archive(tmp_path, [("a.md", b"one"), ("b.md", b"CRC" * 9), ("c.md", b"two")], zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"CRC" * 9, b"XRC" * 9))
    found, refused = unpack(path)
    assert [row.text for row in found] == ["one", "two"]
    assert [row.file for row in refused] == ["a.zip/b.md"]
    assert "zip it again" in refused[0].reason


def test_a_link_in_a_zip_is_refused_by_name_and_the_rest_is_taken(tmp_path):
    link = zipfile.ZipInfo("prices.md")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        made.writestr(link, "/etc/passwd")
        made.writestr("a.md", "one")
    found, refused = unpack(tmp_path / "a.zip")
    assert [row.text for row in found] == ["one"]
    assert [(row.file, row.reason) for row in refused] == [
        ("a.zip/prices.md", "it is a link to another file; zip that file itself")
    ]


def test_a_film_beside_the_notes_is_no_bomb(tmp_path):
    found, refused = unpack(archive(tmp_path, [("film.mp4", bytes(250_000_000)), ("a.md", b"one")]))
    assert [row.text for row in found] == ["one"]
    assert "unknown type" in refused[0].reason


def test_plain_members_are_read_after_one_that_breaks_the_limits(tmp_path, monkeypatch):
    import zlib

    from tests.test_documents import pdf_of

    monkeypatch.setattr("ftrag.sandbox.SECONDS", 2)
    slow = pdf_of([zlib.compress(b"BT /F1 12 Tf (x) Tj ET\n" * 300_000, 9)], "/Filter /FlateDecode")
    found, refused = unpack(archive(tmp_path, [("1.pdf", slow), ("2.pdf", slow), ("3.md", b"fine")]))
    assert [row.text for row in found] == ["fine"]
    assert [row.file for row in refused] == ["a.zip/1.pdf", "a.zip/2.pdf"]


def test_names_in_utf_8_without_the_flag_that_says_so(tmp_path):
    path = archive(tmp_path, [("GebXXhr.md", b"one")])
    path.write_bytes(path.read_bytes().replace(b"GebXXhr", "Gebühr".encode()))
    assert [row.name for row in extract(path)] == ["Gebühr.md"]


def test_names_that_no_folder_can_hold():
    names = flat_names(["n" * 300 + ".md", "ü" * 300 + ".txt", "a\nb.md", "d.md", "d.md", "d.md", ".x.md"])
    assert max(len(name.encode()) for name in names) <= 200
    assert [name[-4:] for name in names[:2]] == ["n.md", ".txt"]
    assert names[2:] == ["a-b.md", "d.md", "d-2.md", "d-3.md", "x.md"]


@pytest.mark.parametrize("name", ["a" * 240 + ".md", ".hidden.md", "a\nb.md"])
def test_a_file_whose_name_cannot_be_kept_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="rename the file"):
        extract(save(tmp_path, name, "text"))


def test_many_places_are_named_in_time():
    rows = tuple(Location(10 * i, 10 * i + 9, f"row {i}") for i in range(50_000))
    document = Document("a.csv", "x" * 500_000, "", (Location(0, 500_000, "All"), *rows))
    where_is, start = locator(document), time.monotonic()
    assert [where_is(10 * i, 10 * i + 25) for i in range(0, 40_000, 7)][1] == "rows 7–9"
    assert time.monotonic() - start < 1
    assert location(document, 9, 10) == "All"  # between two rows
