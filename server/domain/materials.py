"""Materials (材料) as citizens hand them in: what they may be, told by their content and not by their name."""

from typing import Annotated

from server.domain.errors import TooLarge, Unsupported
from server.domain.values import SENSITIVE, Value

MOST_BYTES = 10 * 1024 * 1024
LONGEST_NAME = 120
SIGNATURES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"%PDF-", "application/pdf"),
)


class MaterialTooLarge(TooLarge):
    """The file is larger than ten megabytes."""

    code = "material_too_large"
    title = "文件超过10MB"


class MaterialTypeUnknown(Unsupported):
    """The content is neither JPEG nor PNG nor PDF."""

    code = "material_type_unknown"
    title = "只接受 JPEG、PNG 图片或 PDF 文件"


class File(Value):
    """A content to be opened by somebody."""

    content: bytes
    media_type: str


class Upload(Value):
    """A file that a citizen handed in: `id` is the keyed digest of its content, `sha256` the plain one (hex)."""

    id: str
    name: Annotated[str, SENSITIVE]
    size: int
    media_type: str
    sha256: Annotated[str, SENSITIVE]


def media_type(content: bytes) -> str:
    """The media type by the first bytes; raises MaterialTooLarge or MaterialTypeUnknown."""
    if len(content) > MOST_BYTES:
        raise MaterialTooLarge("单个文件不能超过10MB，请压缩后重新上传。")
    for start, kind in SIGNATURES:
        if content.startswith(start):
            return kind
    raise MaterialTypeUnknown("文件内容不是 JPEG、PNG 或 PDF，请重新选择。")
