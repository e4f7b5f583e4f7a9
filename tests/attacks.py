"""What strangers try: malformed files, paths that leave their folder, foreign addresses, scripts. Rows, not code."""

import io
import json
import random
import zipfile
import zlib


def zipped(files):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def encrypted():
    """A zip whose only member says that it has a password."""
    data = bytearray(zipped({"a.md": "secret"}))
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + place] |= 1
    return bytes(data)


def docx_bomb():
    """Entities that grow to gigabytes."""
    rows = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    xml = f'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a0 "lol">{rows}]><w:document>&a11;</w:document>'
    return zipped({"word/document.xml": xml, "[Content_Types].xml": "<Types/>"})


def pdf_without_text():
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
    )


def malformed(seed=0):
    """20 kinds of files that must be refused in words: (name, handler that takes it, bytes)."""
    junk = random.Random(seed).randbytes(2_000)
    short = zipped({"a.md": "x" * 5_000})
    return [
        ("empty.md", "take_documents", b""),
        ("blank.txt", "take_documents", b" \n\t\n " * 50),
        ("program.exe", "take_documents", b"MZ" + junk),
        ("noise.pdf", "take_documents", junk),
        ("cut.pdf", "take_documents", b"%PDF-1.7\n1 0 obj <</Type/Catalog" + junk[:200]),
        ("picture.pdf", "take_documents", pdf_without_text()),
        ("noise.docx", "take_documents", junk),
        ("cut.docx", "take_documents", zipped({"word/document.xml": "<w:document>"})[:-30]),
        ("bomb.docx", "take_documents", docx_bomb()),
        ("noise.zip", "take_documents", junk),
        ("cut.zip", "take_documents", short[: len(short) // 2]),
        ("locked.zip", "take_documents", encrypted()),
        ("nested.zip", "take_documents", zipped({"in.zip": short})),
        ("crowd.zip", "take_documents", zipped({f"{n}.md": "" for n in range(2_100)})),
        ("noise.jsonl", "take_examples", junk),
        ("half.jsonl", "take_examples", b'{"prompt": "only half"}\n'),
        ("deep.json", "take_examples", b"[" * 100_000),
        ("columns.csv", "take_examples", b"red,blue\n1,2\n"),
        ("wrong.jsonl", "take_gold", b'{"id": 1, "answers": "no question"}\n'),
        ("numbers.json", "take_gold", json.dumps([1, 2, 3]).encode()),
    ]


def zip_bomb():
    """300 MB of zeros in 300 kB: slow to refuse, so beside the others."""
    return zipped({"zeros.md": b"\0" * 300_000_000})


PASSWD = "etc/passwd"


def traversals(home, other):
    """Paths that no request may read. home: FTRAG_HOME; other: a file of another visitor."""
    targets = [f"/{PASSWD}", "/proc/self/environ", f"{home}/secret", str(other), f"{home}/app.log", "app.py"]
    up = ["../" * n for n in (1, 4, 9)] + [
        "..%2f" * 9,
        "%2e%2e/" * 9,
        "....//" * 9,
        "..\\" * 9,
        "..%5c" * 9,
        "..;/" * 9,
    ]
    plain = [prefix + target.lstrip("/") for prefix in up for target in targets]
    tricks = [f"{kind}{target}" for kind in ("", "/", "//", "file://", "/./", "C:", "%00", "~/") for target in targets]
    return plain + tricks


TRAVERSAL_ROUTES = (
    "/gradio_api/file={}",
    "/gradio_api/file/{}",
    "/static/{}",
    "/assets/{}",
    "/svelte/{}",
    "/gradio_api/custom_component/x/client/component/{}",
)


def foreign(port):
    """Addresses that the server must not fetch: a listener of ours on this machine, in the ways it can be written."""
    hosts = [
        "127.0.0.1", "localhost", "0.0.0.0", "[::1]", "127.1", "2130706433", "0x7f000001", "017700000001",
        "127.0.0.1.", "[::ffff:127.0.0.1]",
    ]  # fmt: skip
    schemes = ("http://{}:{}/x", "HTTP://{}:{}/x", "http://a@{}:{}/x", "//{}:{}/x")
    return [scheme.format(host, port) for host in hosts for scheme in schemes]


def scripts(address):
    """Ways to run script or load something foreign; each would set window.pwned or reach the address."""
    run = "window.pwned=1"
    return [
        f"<script>{run}</script>",
        f"<img src=x onerror={run}>",
        f'<img src=x onerror="{run}">',
        f"<svg onload={run}>",
        f"<svg><script>{run}</script></svg>",
        f"<svg><animate onbegin={run} attributeName=x dur=1s>",
        f"<body onload={run}>",
        f"<iframe srcdoc='<script>parent.{run}</script>'></iframe>",
        f'<iframe src="javascript:parent.{run}"></iframe>',
        f"<details open ontoggle={run}>",
        f"<video><source onerror={run}></video>",
        f"<audio src=x onerror={run}>",
        f"<input autofocus onfocus={run}>",
        f"<math><mtext><script>{run}</script></mtext></math>",
        f"</td></table><script>{run}</script>",
        f'"><script>{run}</script>',
        f"'><img src=x onerror={run}>",
        f"<a href=javascript:{run}>x</a>",
        f"[x](javascript:{run})",
        f'![x](x"onerror="{run})',
        f"![x]({address}/pixel.png)",
        f"<img src={address}/pixel.png>",
        f"<link rel=stylesheet href={address}/a.css>",
        f"<style>@import '{address}/a.css';</style>",
        f'<div style="background:url({address}/b.png)">x</div>',
        f"<object data={address}/o></object>",
        f"<embed src={address}/e>",
        f"<meta http-equiv=refresh content='0;url={address}/r'>",
        f"<base href={address}/>",
        f"<form action={address}/f><button autofocus onfocus=this.click()>x</button></form>",
        f"$$\\href{{javascript:{run}}}{{x}}$$",
        f"```mermaid\ngraph TD;A[<img src=x onerror={run}>]\n```",
        f"<template><script>{run}</script></template><script>{run}</script>",
        "{{constructor.constructor('" + run + "')()}}",
    ]


CELLS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x")', "=cmd|' /C calc'!A0")


def gibberish(seed):
    """A body that is no call at all."""
    return zlib.compress(random.Random(seed).randbytes(200))
