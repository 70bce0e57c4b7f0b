"""The page behind the QR code of a paper, and a form to type what stands under it: no script, no login, for phones."""

from collections.abc import Sequence
from html import escape
from typing import Any

from handlers.accounts import address_of
from handlers.base import Handler, Operation, Role
from server.desk.citizen import checking_papers
from server.desk.citizen.checking_papers import PaperCheck
from server.desk.steps import local_text
from server.domain.sentences import chinese_date

TITLE = "文书核验"
HTML = "text/html; charset=utf-8"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action "
STYLE = (
    "body{font:18px/1.6 system-ui,sans-serif;margin:0 auto;max-width:36em;padding:1em;color:#111;background:#fff}"
    "h1{font-size:1.4em}dt{color:#444;margin-top:.6em}dd{margin:0;font-weight:600;overflow-wrap:anywhere}"
    "input{display:block;font:inherit;width:100%;box-sizing:border-box;padding:.4em;margin:.2em 0 1em}"
    "button{font:inherit;padding:.4em 1.5em}.now{border:3px solid;border-radius:.4em;padding:.6em}"
)
PAGE = (
    '<!DOCTYPE html><html lang="zh-CN"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
    "<title>{title}</title><style>{style}</style></head><body><main>{body}</main></body></html>"
)


MOST_CHARACTERS = 100  # of what is typed
FORM = (
    "<h1>文书核验</h1><p>请输入文书二维码下面的验证码和校验码，空格可以不输。</p>"
    f'<form method="get" action="/check"><label>验证码<input name="id" required maxlength="{MOST_CHARACTERS}" '
    'autocomplete="off" autocapitalize="characters" spellcheck="false"></label>'
    f'<label>校验码<input name="key" required maxlength="{MOST_CHARACTERS}" autocomplete="off" '
    'autocapitalize="characters" spellcheck="false"></label><button>核验</button></form>'
    "<p>样例系统，不代表任何真实机关。</p>"
)
AGAIN = '<p><a href="/check">手工输入验证码和校验码</a></p>'


class CheckHandler(Handler):
    """What the pages of checks have in common."""

    role = Role.ANYONE

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """A refusal as a page; whatever else goes wrong is answered as everywhere."""
        fault = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        if not isinstance(fault, checking_papers.NothingToCheck | checking_papers.TooManyChecks):
            super().write_error(status_code, **kwargs)
            return
        self.node.metrics.refusals.labels(fault.code).inc()
        if "retry_after_seconds" in fault.more:
            self.set_header("Retry-After", str(fault.more["retry_after_seconds"]))
        status = 404 if isinstance(fault, checking_papers.NothingToCheck) else 429
        self.show(status, fault.title, f"<h1>{escape(fault.title)}</h1><p>{escape(fault.detail)}</p>{AGAIN}")

    def show(self, status: int, title: str, body: str, *, forms_go_to: str = "'none'") -> None:
        """Answer with a page; forms on it may be sent to `forms_go_to` (a source of the policy) alone."""
        self.set_status(status)
        self.set_header("Content-Type", HTML)
        self.set_header("Content-Security-Policy", POLICY + forms_go_to)
        self.set_header("Referrer-Policy", "no-referrer")
        self.finish(PAGE.format(title=escape(title), style=STYLE, body=body))


class PaperCheckHandler(CheckHandler):
    """Whether an authority gave this paper, and whether it still counts."""

    path = "/check/{id}/{key}"
    role = Role.ANYONE
    operations = {"GET": Operation(checking_papers.check, "核验一份文书（二维码打开的网页）")}

    async def get(self, id: str, key: str) -> None:
        told = await checking_papers.check(self.node, id, key, address=address_of(self))
        self.show(200, TITLE, _body(told))


class TypedCheckHandler(CheckHandler):
    """The same for who cannot scan: a form, and what it asks for."""

    path = "/check"
    role = Role.ANYONE
    operations = {
        "GET": Operation(
            checking_papers.check_typed, "手工输入验证码和校验码，核验一份文书（网页）", queries=("id", "key")
        )
    }

    async def get(self) -> None:
        id, key = (self.get_query_argument(name, "")[:MOST_CHARACTERS] for name in ("id", "key"))
        if not id and not key:
            self.show(200, TITLE, FORM, forms_go_to="'self'")
            return
        told = await checking_papers.check_typed(self.node, id, key, address=address_of(self))
        self.show(200, TITLE, _body(told))


def _now(told: PaperCheck) -> str:
    """Whether the paper counts today, in a sentence."""
    if told.licence and not told.has_ended:
        licence, since = told.licence, chinese_date(told.licence.since)
        counts = "" if licence.is_good else "现在不能使用，"
        return f"这份证照现为“{licence.state}”（{since}起），{counts}由{licence.authority}认定。"
    if told.is_licence and not told.has_ended:
        return "这份证照正在颁发，或者内容已依规删除，现在查不到它的状态。请向颁发机关核实。"
    return (
        f"这份文书所办的事项现为“{told.state}”（{chinese_date(told.state_since)}起），文书只说明当时的情况。"
        if told.has_ended
        else f"这份文书由下列机关出具，目前有效。所办事项现为“{told.state}”（{chinese_date(told.state_since)}起）。"
    )


def _body(told: PaperCheck) -> str:
    rows: Sequence[tuple[str, str]] = (
        ("文书名称", told.title),
        ("文号", told.number),
        *([("电子证照标识", told.licence.identifier)] if told.licence else []),
        ("出具机关", told.authority),
        ("办理事项", told.item),
        ("持有人", told.holder),
        ("文书日期", chinese_date(told.dated_on)),
        ("电子印章时间", local_text(told.sealed_at) if told.sealed_at else ""),
    )
    lines = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows)
    ask = "您手中的文书写的是以上内容吗？如果不一致，请不要使用，并拨打 12345 核实。"
    told_at = f"答复时间：{local_text(told.told_at)}"
    return (
        f'<h1>文书核验</h1><p class="now">{escape(_now(told))}</p><dl>{lines}</dl>'
        f"<p>{escape(ask)}</p><p>{escape(told_at)}</p><p>样例系统，不代表任何真实机关。</p>"
    )
