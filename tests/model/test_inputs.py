"""Files that go with a prompt are what they are by their content, whatever a browser says of them."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from lulu.errors import InputError
from lulu.model.validation import MAX_PICTURE_SIDE, Attachment, checked_attachments, typed


def picture(kind: str, size: tuple[int, int] = (2, 2)) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", size).save(written, kind)
    return written.getvalue()


def attached(name: str, content: bytes, media_type: str = "application/octet-stream") -> list[Attachment]:
    return typed([Attachment(name=name, media_type=media_type, content=content)])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
@pytest.mark.parametrize("told", ["image/png", "image/gif", "text/plain", "application/octet-stream"])
def test_a_picture_has_the_type_of_its_content(kind: str, told: str) -> None:
    [file] = attached("x.bin", picture(kind), told)

    checked_attachments([file])
    assert file.media_type == f"image/{kind.lower()}"


@pytest.mark.parametrize(
    ("name", "content", "told", "problem"),
    [
        ("fake.png", b"<html>", "image/png", "no picture that can be read"),
        ("fake.PNG", b"<html>", "text/html", "no picture that can be read"),
        ("cut.png", picture("PNG")[:20], "image/png", "no picture that can be read"),
        ("bad.png", picture("PNG")[:40] + b"xx" + picture("PNG")[42:], "image/png", "no picture that can be read"),
        ("x.png", b"", "image/png", "is empty"),
        ("x.txt", b"", "text/plain", "is empty"),
        ("x.bmp", picture("BMP"), "image/bmp", "neither an image"),
        ("x.webp", picture("BMP"), "image/webp", "no picture that can be read"),
        ("wide.png", picture("PNG", (MAX_PICTURE_SIDE + 1, 1)), "image/png", "pixels on a side"),
        ("x.bin", b"\0\xff", "", "neither an image"),
    ],
)
def test_a_file_that_cannot_be_sent_is_refused_with_the_reason(
    name: str, content: bytes, told: str, problem: str
) -> None:
    with pytest.raises(InputError, match=problem) as refused:
        checked_attachments(attached(name, content, told))

    assert name in str(refused.value)
    assert refused.value.next_step


def test_a_picture_s_type_alone_lets_nothing_through() -> None:
    with pytest.raises(InputError, match="no picture"):
        checked_attachments([Attachment(name="x", media_type="image/png", content=b"<html>")])


def test_text_stays_text() -> None:
    [file] = attached("drawing.svg", b"<svg/>", "image/svg+xml")

    checked_attachments([file])
    assert file.media_type == "image/svg+xml"
