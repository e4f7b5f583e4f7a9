"""Files become text with named places in it; bad files become one sentence that says what to do."""

from __future__ import annotations

import io
import subprocess
import time
import zipfile
import zlib
from pathlib import Path

import pytest

from ftrag.documents import extract, location, read, unpack
from ftrag.errors import InputError
from ftrag.sandbox import seconds_for
from ftrag.zips import flat_names


def save(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def pdf(pages: list[str], deflate: bool = False) -> bytes:
    """A PDF with one line of Helvetica per page."""
    bodies = [f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode() for text in pages]
    return pdf_of(
        [zlib.compress(body, 9) if deflate else body for body in bodies], "/Filter /FlateDecode" if deflate else ""
    )


def pdf_of(streams: list[bytes], extra: str) -> bytes:
    kids = " ".join(f"{4 + 2 * i} 0 R" for i in range(len(streams)))
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(streams)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for i, stream in enumerate(streams):
        page = f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * i} 0 R "
        parts.append((page + "/Resources << /Font << /F1 3 0 R >> >> >>").encode())
        parts.append(f"<< /Length {len(stream)} {extra} >>\nstream\n".encode() + stream + b"\nendstream")
    out = io.BytesIO(b"%PDF-1.4\n")
    out.seek(0, io.SEEK_END)
    places = []
    for number, part in enumerate(parts, start=1):
        places.append(out.tell())
        out.write(f"{number} 0 obj\n".encode() + part + b"\nendobj\n")
    table = out.tell()
    out.write(f"xref\n0 {len(parts) + 1}\n0000000000 65535 f \n".encode())
    out.write(b"".join(f"{place:010} 00000 n \n".encode() for place in places))
    out.write(f"trailer << /Size {len(parts) + 1} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF".encode())
    return out.getvalue()


def zipped(folder: Path, name: str, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    return folder / name


def where(path: Path, fact: str) -> str:
    """The name of the place where a fact stands in the one document of a file."""
    (document,) = extract(path)
    start = document.text.index(fact)
    return location(document, start, start + len(fact))


def test_text_and_markdown_are_taken_as_they_are(tmp_path):
    text = "# Fees\n\nThe berth costs €4.\n\n## Night\n\nNights are free.\n\n```\n# no heading\n```\n"
    (document,) = extract(save(tmp_path, "fees.md", text))
    assert document.text == text
    assert document.name == "fees.md"
    assert where(tmp_path / "fees.md", "€4") == "Fees"
    assert where(tmp_path / "fees.md", "no heading") == "Fees > Night"
    start = text.index("The berth")
    assert location(document, start, text.index("Nights") + 3) == "Fees – Fees > Night"


def test_setext_headings_name_sections_and_rules_do_not(tmp_path):
    path = save(tmp_path, "a.md", "Top\n===\n\none\n\nSub\n---\n\ntwo\n\n---\n\nthree\n")
    assert where(path, "one") == "Top"
    assert where(path, "three") == "Top > Sub"


def test_windows_line_ends_and_byte_order_marks_go(tmp_path):
    (document,) = extract(save(tmp_path, "a.txt", b"\xef\xbb\xbfone\r\ntwo\rthree"))
    assert document.text == "one\ntwo\nthree"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252", "utf-16-le"])
def test_encodings_are_detected(tmp_path, encoding):
    text = "Die Gebühr für große Boote beträgt 40 €. Rückgabe täglich möglich, außer an Feiertagen.\n" * 3
    data = text.encode(encoding)
    (document,) = extract(save(tmp_path, "a.txt", b"\xff\xfe" + data if encoding == "utf-16-le" else data))
    assert document.text == text


def test_html_keeps_what_a_reader_sees(tmp_path):
    page = """<html><head><title>x</title><style>p {}</style></head><body><script>alert('no')</script>
    <h1>Prices</h1><p>A <b>boat</b> costs
      €12<br>per hour.</p><!-- secret --><p hidden>secret</p><p style="display: none">secret</p>
    <h2>Table</h2><table><tr><th>boat</th><th>price</th></tr><tr><td>Pike</td><td>€31</td></tr></table>
    <ul><li>one</li><li>two</li></ul></body></html>"""
    (document,) = extract(save(tmp_path, "a.html", page))
    table = "| boat | price |\n| --- | --- |\n| Pike | €31 |"
    assert document.text == f"Prices\n\nA boat costs €12\nper hour.\n\nTable\n\n{table}\n\n- one\n- two"
    assert where(tmp_path / "a.html", "Pike") == "Table > row 1"
    assert where(tmp_path / "a.html", "two") == "Prices > Table"


def test_html_nested_deeper_than_the_stack_is_read(tmp_path):
    (document,) = extract(save(tmp_path, "a.html", "<div>" * 5_000 + "deep" + "</div>" * 5_000))
    assert document.text == "deep"


def test_csv_rows_carry_their_columns(tmp_path):
    path = save(tmp_path, "a.csv", 'code;meaning\nE-52;"Berth, not found"\nE-7;No power\n')
    (document,) = extract(path)
    assert document.text == "code: E-52; meaning: Berth, not found\ncode: E-7; meaning: No power"
    assert where(path, "No power") == "row 2"
    assert location(document, 0, len(document.text)) == "rows 1–2"


def test_json_lines(tmp_path):
    path = save(tmp_path, "a.jsonl", '{"q": "Why?", "tags": ["x", "y"], "n": {"m": 2}}\n\n"plain"\n')
    assert extract(path)[0].text == "q: Why?; tags: x; tags: y; n.m: 2\nplain"
    with pytest.raises(InputError, match="line 2 is not valid JSON"):
        extract(save(tmp_path, "b.jsonl", '{"a": 1}\n{a}\n'))


def test_pdf_pages_are_places(tmp_path):
    path = save(tmp_path, "a.pdf", pdf(["The first page.", "The deposit is 80 euros."], deflate=True))
    assert where(path, "80 euros") == "page 2"
    (document,) = extract(path)
    assert location(document, 0, len(document.text)) == "pages 1–2"


def test_docx_headings_and_tables_are_places(tmp_path):
    import docx

    file = docx.Document()
    file.add_heading("Deposits", level=1)
    file.add_paragraph("The deposit is 80 euros.")
    file.add_paragraph("first", style="List Bullet")
    table = file.add_table(rows=2, cols=2)
    for cell, text in zip([c for row in table.rows for c in row.cells], ["boat", "price", "Pike", "31"], strict=True):
        cell.text = text
    file.save(str(tmp_path / "a.docx"))
    (document,) = extract(tmp_path / "a.docx")
    table = "| boat | price |\n| --- | --- |\n| Pike | 31 |"
    assert document.text == f"Deposits\n\nThe deposit is 80 euros.\n\n- first\n\n{table}"
    assert where(tmp_path / "a.docx", "80 euros") == "Deposits"
    assert where(tmp_path / "a.docx", "Pike") == "Deposits > row 1"


def test_zip_members_become_documents_and_bad_ones_are_named(tmp_path):
    path = zipped(
        tmp_path,
        "a.zip",
        {
            "x/notes.txt": b"one",
            "y/notes.txt": b"two",
            "../../evil.txt": b"three",
            "b.exe": b"MZ",
            "__MACOSX/b.txt": b"0",
        },
    )
    found, refused = unpack(path)
    assert {row.name: row.text for row in found} == {"x-notes.txt": "one", "y-notes.txt": "two", "evil.txt": "three"}
    assert [row.file for row in refused] == ["a.zip/b.exe"]
    assert "unknown type" in refused[0].reason


def test_flat_names_are_unique_and_stay_in_the_folder():
    paths = ["a/x.md", "b/x.md", "a-x.md", "/etc/passwd.txt", "..\\c.txt", ".hidden.txt", "d/X.md"]
    names = flat_names(paths)
    assert len({name.lower() for name in names}) == len(paths)
    assert not [name for name in names if "/" in name or "\\" in name or name.startswith(".")]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.txt", b"", "a.txt is empty"),
        ("a.md", b" \n\n ", "holds no text"),
        ("a.csv", b",,,\n,,", "holds no text"),
        ("a.csv", b'"";"" ; \r\n;;\r\n', "holds no text"),
        ("a.exe", b"MZ", "unknown type"),
        ("a.txt", bytes(range(256)) * 20, "a.txt: it"),
        ("a.pdf", b"%PDF-1.4 nonsense", "not a readable PDF"),
        ("a.docx", b"PK nonsense", "not a readable Word file"),
        ("a.zip", b"PK nonsense", "not a readable zip"),
        ("a.pdf", pdf([""]), "text recognition"),
    ],
)
def test_bad_files_are_refused_in_one_sentence(tmp_path, name, data, message):
    with pytest.raises(InputError, match=message) as error:
        extract(save(tmp_path, name, data))
    assert "\n" not in str(error.value)
    assert name in str(error.value)


def test_encrypted_files_are_refused(tmp_path):
    import pypdf

    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf(["secret"])))
    writer.encrypt("password", algorithm="RC4-128")
    writer.write(tmp_path / "a.pdf")
    with pytest.raises(InputError, match="encrypted"):
        extract(tmp_path / "a.pdf")


def assert_refused_within_10_s(path: Path, message: str) -> None:
    start = time.monotonic()
    with pytest.raises(InputError, match=message):
        extract(path)
    assert time.monotonic() - start < 10


def test_zip_bomb_is_a_message(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(8):
            with archive.open(f"{number}.txt", "w", force_zip64=True) as member:
                for _ in range(50):
                    member.write(bytes(1_000_000))
    assert_refused_within_10_s(tmp_path / "a.zip", "unpacks to 400,000,000 bytes")


def test_zip_whose_header_lies_about_its_size_is_a_message(tmp_path):
    path = zipped(tmp_path, "a.zip", {"a.txt": bytes(60_000_000)})
    data = path.read_bytes()
    path.write_bytes(data.replace((60_000_000).to_bytes(4, "little"), (1_000).to_bytes(4, "little")))
    assert_refused_within_10_s(path, "a.zip")


def test_pdf_bomb_is_a_message(tmp_path):
    squeeze = zlib.compressobj(9)
    body = b"".join(squeeze.compress(b"(x) Tj " * 1_000_000) for _ in range(100)) + squeeze.flush()
    assert_refused_within_10_s(save(tmp_path, "a.pdf", pdf_of([body], "/Filter /FlateDecode")), "a.pdf")


def test_docx_bomb_is_a_message(tmp_path):
    import docx

    docx.Document().save(str(tmp_path / "b.docx"))
    with zipfile.ZipFile(tmp_path / "b.docx") as source:
        members = {row: source.read(row) for row in source.namelist()}
    members["word/document.xml"] = members["word/document.xml"].replace(
        b"<w:body>", b"<w:body>" + b"<w:p/>" * 20_000_000
    )
    assert_refused_within_10_s(zipped(tmp_path, "a.docx", members), "a.docx")


def test_many_bombs_take_no_longer_than_one(tmp_path, monkeypatch):
    monkeypatch.setattr("ftrag.sandbox.SECONDS", 2)
    slow = pdf_of([zlib.compress(b"BT /F1 12 Tf (x) Tj ET\n" * 300_000, 9)], "/Filter /FlateDecode")  # takes 5 s
    path = zipped(tmp_path, "a.zip", {"0.txt": b"fine"} | {f"{i}.pdf": slow for i in range(1, 6)})
    start = time.monotonic()
    found, refused = unpack(path)
    assert time.monotonic() - start < 5
    assert [row.name for row in found] == ["0.txt"]
    assert "takes more than 2 s" in refused[0].reason
    assert "because a.zip/1.pdf broke the limits" in refused[1].reason


@pytest.mark.parametrize(("size", "seconds"), [(10, 8), (1_999_999, 8), (3_000_000, 16), (50_000_000, 60)])
def test_time_grows_with_the_file(size, seconds):  # 8 s, and 4 s for each megabyte after the first
    assert seconds_for(size) == seconds


def test_padding_buys_a_pdf_no_time(tmp_path):
    """What no page names is no reason to read longer: 14 MB of it gave a bomb of 11 kB a minute."""
    from ftrag.sandbox import pdf_said

    stream = zlib.compress(b"BT /F1 12 Tf (x) Tj ET\n" * 300_000, 9)
    slow = save(tmp_path, "a.pdf", pdf_of([stream], "/Filter /FlateDecode") + b"%" + b"x" * 14_000_000)
    assert abs(pdf_said(slow) - len(stream)) < 10
    assert_refused_within_10_s(save(tmp_path, "b.pdf", pdf_of([stream] * 4, "/Filter /FlateDecode")), "b.pdf")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("head.csv", "h" * 1_000_000 + "\n" + "x\n" * 20_000),
        ("heads.csv", ("h" * 9_000 + ",") * 10 + "\n" + "x,x,x,x,x,x,x,x,x,x\n" * 20_000),
        ("keys.jsonl", '{"' + "k" * 350_000 + '": [' + "1," * 100_000 + "1]}"),
        ("deep.jsonl", ('{"' + "k" * 9_000 + '":') * 400 + "1" + "}" * 400),
        ("quote.csv", "a,b\n" + '1,"' + "x,y\n" * 1_000_000),
    ],
)
def test_a_table_that_would_become_gigabytes_is_a_message(tmp_path, name, text):
    import tracemalloc

    path = save(tmp_path, name, text.encode())
    tracemalloc.start()
    with pytest.raises(InputError, match=name):
        extract(path)
    assert tracemalloc.get_traced_memory()[1] < 300_000_000
    tracemalloc.stop()


def test_members_that_are_all_slow_take_no_longer_than_one_that_is(tmp_path):
    slow = pdf_of([zlib.compress(b"BT /F1 12 Tf (x) Tj ET\n" * 30_000, 9)], "/Filter /FlateDecode")  # half a second
    members = {f"{i:02}.pdf": slow for i in range(40)}
    start = time.monotonic()
    found, refused = unpack(zipped(tmp_path, "a.zip", {**members, "z.txt": b"fine"}))
    assert time.monotonic() - start < 10
    assert found[-1].name == "z.txt"
    assert len(found) > 1
    assert "a.zip/39.pdf was not read, because" in refused[-1].reason


def test_many_small_members_are_read_by_one_child(tmp_path, monkeypatch):
    started = []
    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *given, **named: started.append(given) or popen(*given, **named))
    found, refused = unpack(zipped(tmp_path, "a.zip", {f"{i:03}.pdf": pdf([f"Harbour {i}"]) for i in range(60)}))
    assert [row.text.strip() for row in found] == [f"Harbour {i}" for i in range(60)]
    assert (len(refused), len(started)) == (0, 1)


def test_a_space_takes_shorter_documents(tmp_path, monkeypatch):
    """Cutting a text takes the app's own processor, and strangers share it."""
    monkeypatch.setenv("SYSTEM", "spaces")
    file = tmp_path / "long.txt"
    file.write_text("ab " * 1_000_001)
    with pytest.raises(InputError, match="3,000,003 characters, over 3,000,000; split it"):
        read(file)
    monkeypatch.delenv("SYSTEM")
    assert len(read(file).text) == 3_000_003
