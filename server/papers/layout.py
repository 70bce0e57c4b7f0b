"""The layout of a paper: its words as HTML, with measures after GB/T 9704-2012."""

from collections.abc import Mapping
from html import escape

import segno

from server.domain.papers.data import Frame
from server.domain.papers.filling import FilledPaper, FilledParagraph, FilledTable
from server.domain.papers.texts import Signer

SIGNING_PLACES: Mapping[Signer, str] = {"applicant": "signature-place", "authority": "seal-place"}
FONT_FAMILY = "Noto Sans CJK SC"
SAMPLE = "样例"
APPLICANT_SIGNS, TENANT_SIGNS, AUTHORITY_SIGNS = "申请人签名：", "乙方签名：", "甲方盖章："
# A4; 天头 37, 订口 28, 版心 156 x 225 mm; body 3号 (16 pt) on lines of 29 pt, title 2号 (22 pt), page number 4号
# (14 pt) 7 mm below, on the outer side. The fonts of the standard (仿宋, 小标宋) are not free; ours has all characters
# that names have.
CSS = f"""
@page {{ size: A4; margin: 37mm 26mm 35mm 28mm }}
@page :right {{ @bottom-right {{ content: "— " counter(page) " —"; font: 14pt '{FONT_FAMILY}'; vertical-align: top;
  padding: 7mm 14pt 0 0 }} }}
@page :left {{ @bottom-left {{ content: "— " counter(page) " —"; font: 14pt '{FONT_FAMILY}'; vertical-align: top;
  padding: 7mm 0 0 14pt }} }}
html {{ font: 16pt/29pt '{FONT_FAMILY}'; text-align: justify; overflow-wrap: anywhere }}
body {{ margin: 0 }}
.sample {{ position: fixed; top: 92mm; left: 18mm; width: 120mm; text-align: center; transform: rotate(-35deg);
  font-size: 120pt; line-height: 1; color: rgba(190, 30, 30, .12) }}
.authority, h1 {{ font-size: 22pt; line-height: 36pt; font-weight: normal; text-align: center; margin: 0 }}
.number {{ text-align: right; margin: 8pt 0 0 }}
.to {{ margin: 14pt 0 0 }}
.said {{ text-indent: 2em; margin: 0 }}
.said {{ orphans: 2; widows: 2 }}
table {{ width: 100%; border-collapse: collapse; margin: 6pt 0; font-size: 12pt; line-height: 18pt }}
th, td {{ border: .6pt solid #000; padding: 2pt 4pt; font-weight: normal; vertical-align: top }}
th:first-child {{ width: 10mm }}
thead {{ display: table-header-group }}
tr, .end {{ break-inside: avoid }}
.phone {{ margin: 6pt 0 0; text-indent: 2em }}
.foot {{ display: table; width: 100%; table-layout: fixed }}
.check {{ display: table-cell; width: 62mm; vertical-align: bottom; font-size: 10.5pt; line-height: 15pt;
  text-align: left }}
.check svg {{ width: 26mm; height: 26mm; display: block }}
.side {{ display: table-cell; vertical-align: top; padding: 13mm 64pt 14mm 0 }}
.sign {{ display: table; margin: 0 0 0 auto; text-align: center }}
.both {{ position: relative }}
.parties {{ display: table-cell; vertical-align: top; padding: 4mm 10mm 0 0 }}
.party {{ padding: 0 0 2mm }}
.room {{ position: relative; height: 18mm }}
.party .both {{ margin: 13mm 0 14mm; text-align: center }}
.both span, .room span {{ position: absolute; left: 50%; top: 50%; width: 0; height: 0 }}
.hand {{ margin: 8pt 0 0; font-size: 14pt; text-align: left }}
"""


def markup(filled: FilledPaper, frame: Frame, *, digest: str) -> str:
    """The paper as one HTML text that names nothing outside of itself; whatever people wrote is escaped in it."""
    *before, last = filled.paragraphs
    sample = f'<div class="sample">{SAMPLE}</div>' if filled.is_sample else ""
    number = f'<p class="number">{escape(frame.number)}</p>' if frame.number else ""
    head = f'<div class="authority">{escape(frame.authority)}</div>'
    to = f'<p class="to">{escape(frame.recipient)}（证件号码：{escape(frame.recipient_id)}）：</p>'
    is_from_authority = filled.signers == ("authority",)
    return (
        f'<!doctype html><html lang="zh-CN"><head><title>{escape(filled.title)}</title>'
        f'<meta name="keywords" content="{escape(digest)}"><meta name="author" content="{escape(frame.authority)}">'
        f"<style>{CSS}</style></head><body>{sample}"
        f"{head if is_from_authority else ''}<h1>{escape(filled.title)}</h1>{number}"
        f"{to if is_from_authority else ''}"
        f"{''.join(map(_paragraph, before))}"
        f'{_table_before_end(last)}<div class="end">{_last(last)}'
        f'<p class="phone">联系电话：{escape(frame.phone)}</p>{_foot(filled, frame)}{_by_hand(filled)}'
        "</div></body></html>"
    )


def qr_code(address: str) -> str:
    """The address as an SVG drawing of a QR code, readable with a quarter of it covered."""
    return segno.make_qr(address, error="q").svg_inline(scale=1, border=4)


def _paragraph(paragraph: FilledParagraph) -> str:
    said = f'<p class="said">{escape(paragraph.text)}</p>'
    return said + (_table(paragraph.table) if paragraph.table else "")


def _table(table: FilledTable) -> str:
    head = "".join(f"<th>{escape(title)}</th>" for title in ("序号", *table.titles))
    rows = (
        f"<tr><td>{place}</td>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
        for place, row in enumerate(table.rows, start=1)
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _table_before_end(last: FilledParagraph) -> str:
    """A paragraph with a table may be longer than a page: it stands before what must stay together."""
    return _paragraph(last) if last.table else ""


def _last(last: FilledParagraph) -> str:
    return "" if last.table else _paragraph(last)


def _foot(filled: FilledPaper, frame: Frame) -> str:
    """The check on the left and those who sign on the right."""
    if filled.signers == ("authority",):
        side = f'<div class="side"><div class="sign">{_sealed(filled, frame)}</div></div>'
    else:
        side = f'<div class="parties">{"".join(_party(each, filled, frame) for each in filled.signers)}</div>'
    return f'<div class="foot">{_check(frame)}{side}</div>'


def _sealed(filled: FilledPaper, frame: Frame) -> str:
    """The two lines over which the seal lies."""
    both = f"<div>{escape(frame.authority)}</div><div>{filled.dated}</div>"
    return f'<div class="both">{_place("authority")}{both}</div>'


def _party(signer: Signer, filled: FilledPaper, frame: Frame) -> str:
    """One of those who sign, with room for what their signature shows."""
    if signer == "authority":
        return f'<div class="party">{AUTHORITY_SIGNS}{_sealed(filled, frame)}</div>'
    label = TENANT_SIGNS if "authority" in filled.signers else APPLICANT_SIGNS
    dated = "" if "authority" in filled.signers else f"<div>{filled.dated}</div>"
    return f'<div class="party">{label}<div class="room">{_place("applicant")}</div>{dated}</div>'


def _place(signer: Signer) -> str:
    return f'<span id="{SIGNING_PLACES[signer]}"></span>'


def _by_hand(filled: FilledPaper) -> str:
    line = "　" * 6
    text = f"申请人或者代理人签名：<u>{line}</u>　日期：<u>{line}</u>"
    return f'<p class="hand">{text}</p>' if filled.is_countersigned else ""


def _check(frame: Frame) -> str:
    site, key = frame.check_address.split("/")[2], frame.check_address.rpartition("/")[2]
    in_fours = " ".join(key[first : first + 4] for first in range(0, len(key), 4))
    copies = "一份（电子原件）" if frame.copies == 1 else f"{frame.copies}份"
    said = [f"文书编号：{frame.spoken_number}"] if frame.spoken_number else []
    lines = (
        *("扫码核验本文书的当前状态", f"核验网站：{site}/check", f"验证码：{frame.check_code}"),
        *(f"校验码：{in_fours}", *said),
        *(f"办件编号：{frame.case}", f"办理事项：{frame.item}", f"份数：{copies}"),
    )
    return f'<div class="check">{qr_code(frame.check_address)}{"<br>".join(map(escape, lines))}</div>'
