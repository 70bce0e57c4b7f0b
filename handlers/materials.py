"""The doors by which citizens and officers hand in a file, as a form uploads it."""

from tornado.httputil import HTTPFile, HTTPInputError, parse_body_arguments

from handlers.base import Handler, Operation, Role
from server.desk import materials
from server.desk.officer import reviewing
from server.domain.errors import Malformed
from server.domain.materials import MOST_BYTES, Upload
from server.domain.values import Value

ROOM_FOR_FORM = 64 * 1024


class FileMissing(Malformed):
    """The form must hold exactly one file."""

    code = "file_missing"
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


class UploadHandler(Handler):
    """A door for one file."""

    role = Role.REAL_NAME
    takes_type = "multipart/form-data"
    most_bytes = MOST_BYTES + ROOM_FOR_FORM

    def answer_upload(self, upload: Upload) -> None:
        """Answer what was kept."""
        self.answer(MaterialView(**upload.model_dump(include=set(MaterialView.model_fields))))

    def file(self) -> HTTPFile:
        """The one file of the form; raises FileMissing."""
        files: dict[str, list[HTTPFile]] = {}
        try:
            parse_body_arguments(self.request.headers["Content-Type"], self.body(), {}, files)
        except HTTPInputError:
            files = {}
        found = [file for group in files.values() for file in group]
        if len(found) != 1:
            raise FileMissing("请在表单中上传一个文件。")
        return found[0]


class MaterialsHandler(UploadHandler):
    """Hand in a file."""

    path = "/api/v1/materials"
    role = Role.REAL_NAME
    operations = {
        "POST": Operation(materials.hand_in, "上传申请材料", takes=UploadForm, gives=MaterialView, status=201)
    }

    async def post(self) -> None:
        file = self.file()
        self.answer_upload(await materials.hand_in(self.node, self.owner, file.body, name=file.filename))


class LicenceFilesHandler(UploadHandler):
    """Hand in the file of a licence, to be named in an approval or a delivery."""

    path = "/desk/v1/licence-files"
    role = Role.OFFICER
    operations = {
        "POST": Operation(
            reviewing.hand_in_licence, "上传证照、文书的文件", takes=UploadForm, gives=MaterialView, status=201
        )
    }

    async def post(self) -> None:
        file = self.file()
        self.answer_upload(await reviewing.hand_in_licence(self.node, self.officer, file.body, name=file.filename))
