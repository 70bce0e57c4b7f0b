"""Handing in a file as a mini-program does: what counts is the content."""

from typing import Any

import pytest

from tests.http.asking import refused
from tests.nodes import PNG, Answer, Caller, Places

pytestmark = pytest.mark.asyncio(loop_scope="module")
JPEG = b"\xff\xd8\xff\xe0" + b"a made-up picture"
PDF = b"%PDF-1.7 a made-up document"
EXE = b"MZ\x90\x00 a made-up program"


async def upload_like_wechat(citizen: Caller, content: bytes, file_name: str) -> Answer:
    """The bytes that `wx.uploadFile({name: 'file', formData: {code: ...}})` puts on the wire."""
    line = b"----WebKitFormBoundary7MA4YWxkTrZu0gW"
    body = b"\r\n".join(
        [
            b"--" + line,
            b'Content-Disposition: form-data; name="code"',
            b"",
            "身份证".encode(),
            b"--" + line,
            b'Content-Disposition: form-data; name="file"; filename="' + file_name.encode() + b'"',
            b"Content-Type: image/jpeg",
            b"",
            content,
            b"--" + line + b"--",
            b"",
        ]
    )
    headers = {"Content-Type": f"multipart/form-data; boundary={line.decode()}"}
    return await citizen.call("POST", "/api/v1/materials", data=body, headers=headers)


@pytest.mark.parametrize(
    ("content", "file_name", "media_type"),
    [
        (PNG, "tmp_1234.png", "image/png"),
        (JPEG, "http_tmp_wx.jpg", "image/jpeg"),
        (PDF, "photo.jpg", "application/pdf"),
        (JPEG, "virus.exe", "image/jpeg"),
        (PNG, "户口簿.png", "image/png"),
        (PNG, "x" * 300 + ".png", "image/png"),
    ],
)
async def test_the_type_is_told_by_the_content(mother: Caller, content: bytes, file_name: str, media_type: str):
    answer = await upload_like_wechat(mother, content, file_name)
    assert answer.status == 201
    assert answer.body["media_type"] == media_type
    assert answer.body["size"] == len(content)
    assert answer.body["name"] == file_name[-120:]
    assert set(answer.body) == {"id", "name", "size", "media_type"}


@pytest.mark.parametrize("content", [EXE, b"", b"GIF89a", b"<svg/>", b" " + PNG])
async def test_what_is_no_picture_and_no_pdf_is_refused_whatever_its_name(mother: Caller, content: bytes):
    refused(await upload_like_wechat(mother, content, "photo.png"), 415, "material_type_unknown")


async def test_the_same_file_again_is_the_same_material(places: Places, mother: Caller):
    first = await mother.upload(PNG + b" once", name="one.png")
    again = await mother.upload(PNG + b" once", name="two.png")
    assert (again.status, again.body["id"]) == (201, first.body["id"])
    assert (await mother.upload(PNG + b" twice")).body["id"] != first.body["id"]


async def test_one_file_serves_several_materials_of_a_submission(mother: Caller, wish: dict[str, Any]):
    assert len({given["id"] for given in wish["materials"]}) == 1
    answer = await mother.post("/api/v1/cases", wish)
    shown = (await mother.get(answer.headers["Location"])).body["materials"]
    assert {each["code"] for each in shown} == {given["code"] for given in wish["materials"]}
    assert all(each["media_type"] == "image/png" and each["name"] for each in shown)
