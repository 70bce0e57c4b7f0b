"""The door by which a citizen hands in a file, as a mini-program uploads it."""

from tornado.httputil import HTTPFile, HTTPInputError, parse_body_arguments

from handlers.base import Does, Door, Who
from server.desk import materials
from server.domain.errors import Malformed
from server.domain.materials import MOST_BYTES
from server.domain.names import Value

ROOM_FOR_FORM = 64 * 1024


class FileMissing(Malformed):
    """The form must hold exactly one file."""

    title = "请上传一个文件"


class UploadForm(Value):
    """A multipart form with one file, as `wx.uploadFile` sends it."""

    file: bytes


class MaterialView(Value):
    """What an upload is answered with; `id` goes into a submission."""

    id: str
    name: str
    size: int
    media_type: str


class Materials(Door):
    """Hand in a file."""

    path = "/api/v1/materials"
    who = Who.REAL_NAME
    takes_type = "multipart/form-data"
    most_bytes = MOST_BYTES + ROOM_FOR_FORM
    does = {"POST": Does(materials.hand_in, takes=UploadForm, gives=MaterialView, status=201)}

    async def post(self) -> None:
        file = self._file()
        upload = await materials.hand_in(self.node, self.owner, file.body, name=file.filename)
        self.answer(MaterialView(**upload.model_dump(include=set(MaterialView.model_fields))))

    def _file(self) -> HTTPFile:
        files: dict[str, list[HTTPFile]] = {}
        try:
            parse_body_arguments(self.request.headers["Content-Type"], self.body(), {}, files)
        except HTTPInputError:
            files = {}
        found = [file for group in files.values() for file in group]
        if len(found) != 1:
            raise FileMissing("请在表单中上传一个文件。")
        return found[0]
