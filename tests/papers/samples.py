"""One paper of each kind, of made-up people and authorities."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from server.domain.papers.bodies import BODIES
from server.domain.papers.data import Frame, PaperData, Remedy
from server.domain.papers.texts import PaperTexts
from server.tools.paper_texts import load_paper_texts

NOW = datetime(2026, 12, 1, 2, 30, tzinfo=UTC)
DAY = date(2026, 12, 1)
AUTHORITY = "苏宁市玄武区行政审批局"
REMEDY = Remedy(
    kind="administrative",
    organ="苏宁市玄武区人民政府",
    online_channel="https://review.example.cn/",
    court="苏宁市玄武区人民法院",
)
FRAME: dict[str, Any] = {
    "authority": AUTHORITY,
    "number": "苏宁玄公许准字〔2026〕第0001号",
    "spoken_number": "3200 1234 5678",
    "recipient": "张㙍䶮𠮷",
    "recipient_kind": "person",
    "recipient_id": "3201**********1234",
    "case": "320102-2026-000017",
    "item": "公共场所卫生许可",
    "item_type": "licence",
    "dated_on": DAY,
    "phone": "025-00000000",
    "check_address": "https://check.example.cn/check/7Q2V9KX4M1TB8RZC/QW3NH6SYDJ2ABCDEFGH5IJKLMN",
    "check_code": "7Q2V9KX4M1TB8RZC",
}
MATERIALS = [{"name": f"材料{place}", "form": "原件", "copies": place} for place in range(1, 4)]
GAP = {
    "material": "场所平面图",
    "problem": "没有标注出入口",
    "demand": "标注全部出入口并盖章",
    "basis": "《公共场所卫生管理条例实施细则》第二十三条",
}
BODY: dict[str, dict[str, Any]] = {
    "receipt": {"received_at": NOW, "way": "窗口", "materials": MATERIALS},
    "supplement": {"gaps": [GAP, GAP], "due_on": date(2026, 12, 15), "consequence": "逾期未补正的，视为撤回申请。"},
    "acceptance": {"accepted_on": DAY, "legal_days": 20, "promised_on": date(2026, 12, 10)},
    "not_needed": {"basis": "《公共场所卫生管理条例》第二条"},
    "not_ours": {"basis": "本机关权责清单", "right_authority": "苏宁市鼓楼区行政审批局", "right_phone": "025-00000001"},
    "hearing": {"interest": "拟准予的许可涉及相邻住户的采光"},
    "special_procedure": {
        "procedure": "检测",
        "institution": "苏宁市疾病预防控制中心",
        "basis": "《中华人民共和国行政许可法》第四十五条",
        "begins_on": DAY,
        "ends_on": date(2026, 12, 8),
        "promised_on": date(2026, 12, 18),
    },
    "extension": {
        "reason": "需要核对外省材料",
        "basis": "《中华人民共和国行政许可法》第四十二条",
        "more_days": 10,
        "promised_on": date(2026, 12, 24),
    },
    "granted": {
        "basis": "《公共场所卫生管理条例》第四条",
        "content": "经营理发店",
        "scope": "苏宁市玄武区样例路1号一层",
        "term": "自2026年12月1日起四年",
        "result": "卫生许可证",
        "delivered_by": date(2026, 12, 11),
    },
    "refused": {
        "findings": "经营场所没有独立的消毒间",
        "basis": "《公共场所卫生管理条例实施细则》第二十二条",
        "reasons": "场所的布局不符合卫生标准",
    },
    "withdrawal": {"withdrawn_on": DAY, "returned": "申请书原件一份"},
    "gap_acceptance": {
        "accepted_on": DAY,
        "missing": "场所检测报告",
        "due_on": date(2026, 12, 9),
        "legal_days": 20,
        "promised_on": date(2026, 12, 10),
    },
    "delivery": {
        "delivered_title": "准予行政许可决定书",
        "delivered_number": "苏宁玄公许准字〔2026〕第0001号",
        "way": "电子送达",
        "place": "通办小程序",
        "sent_at": NOW,
        "arrived_at": NOW + timedelta(minutes=1),
        "opened_at": NOW + timedelta(hours=2),
        "file_digest": "ab" * 32,
        "remark": "受送达人同意电子送达",
    },
    "correction": {
        "corrected_title": "准予行政许可决定书",
        "corrected_number": "苏宁玄公许准字〔2026〕第0001号",
        "corrected_on": DAY,
        "wrong": "样例路1号",
        "right": "样例路11号",
    },
    "termination": {
        "reason": "逾期未补交材料",
        "basis": "容缺受理承诺书第三条",
        "ended_on": DAY,
    },
    "certificate": {
        "name": "无犯罪记录证明",
        "subject": "张小㙍（证件号码 3201**********5678）",
        "lines": [{"label": "查询期间", "value": "2006年12月1日至2026年12月1日"}, {"label": "查询情况", "value": "无"}],
    },
    "licence": {
        "name": "临时居民身份证",
        "identifier": "1.2.156.3005.2.11100000000013127D003.11320000MB0000001X.00000000000000000001.001.X",
        "holders": [
            {"name": "张㙍䶮𠮷", "number": "320102199001011234"},
            {"name": "李*", "number": "**************5678"},
        ],
        "issued_on": DAY,
        "effective_on": DAY,
        "expires_on": date(2027, 2, 28),
        "lines": [{"label": "持证人住址", "value": "苏宁市玄武区样例路1号"}],
    },
    "application": {
        "answers": [
            {"question": "婚姻状况", "answer": "未婚"},
            {"question": "家庭人数", "answer": "1"},
        ],
        "materials": "家庭成员核查授权书一份",
    },
    "undertaking": {
        "duty": "家庭人均住房面积低于十五平方米",
        "basis": "《样例市公共租赁住房管理办法》第六条",
        "checks": "办结后三十日内通过不动产登记信息核查",
        "consequences": "终止办理，责令限期整改，撤销决定，并记入信用记录",
        "publication": "不公开",
    },
    "lease": {
        "home": "苏宁市玄武区样例路1号2幢301室",
        "area": "建筑面积45平方米",
        "equipment": "热水器一台，灶具一套",
        "use": "仅供乙方家庭自住，不得转租、转借",
        "begins_on": date(2027, 1, 1),
        "ends_on": date(2029, 12, 31),
        "rent": "每月人民币450元，每月十日前支付",
        "repairs": "房屋及设施的自然损坏由甲方维修",
        "charges": "由乙方按实际使用缴纳",
        "surrender": "转租、转借，或者无正当理由连续六个月以上闲置",
        "breach": "逾期支付租金的，按日支付万分之五的违约金；争议由房屋所在地人民法院管辖",
        "other": "期满前三个月可以申请续租",
    },
}
TEXTS = Path(__file__).parents[2] / "config/papers"


def texts() -> PaperTexts:
    """The texts that are shipped."""
    return load_paper_texts(TEXTS)


def paper(kind: str, *, body: dict[str, Any] | None = None, **frame: Any) -> PaperData:
    """A paper of this kind; with other members of its frame, and another body."""
    made = Frame(**{**FRAME, "remedy": REMEDY, **frame})
    return PaperData(kind=kind, frame=made, body=BODIES[kind].model_validate(BODY[kind] if body is None else body))
