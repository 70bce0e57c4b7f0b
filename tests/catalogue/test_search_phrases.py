"""What people say, over the shipped catalogue: the search finds what they mean."""

import pytest

from server.tools.searching import SearchIndex
from tests.catalogue.shipped import CATALOGUE

INDEX = SearchIndex(CATALOGUE)

# A bundle or an item, and what is said of it; two codes where they are the same to whoever says it.
PHRASES = {
    "newborn": (
        "孩子出生了要办什么",
        "刚生了二胎，出生证和户口能一起弄吗",
        "生孩子",
        "老婆快生了要准备哪些证件",
        "媳妇刚生完孩子",
    ),
    "household_registration": ("上户口", "给宝宝上户口", "落户", "娃娃的户口本怎么上"),
    "vaccination_card": ("打疫苗的本子", "小孩的预防针本"),
    "maternity_reimbursement": ("生孩子的钱能报销吗", "剖腹产花的钱能报吗"),
    "birth_certificate": ("出生证明丢了", "宝宝出生医学证明在哪开"),
    "retirement": (
        "办退休",
        "快到退休年龄了怎么办手续",
        "养老金什么时候开始领",
        "女职工到55岁退休",
        "明年就60岁了想退下来",
    ),
    "housing_fund_retirement_withdrawal": ("退休了公积金能取出来吗",),
    "open_restaurant": (
        "开饭店",
        "想开个小吃店要哪些证",
        "奶茶店办什么执照",
        "盘下一个店面做火锅",
        "想在小区门口卖早点",
        "开面馆",
    ),
    "food_business_licence": ("食品经营许可证",),
    "shop_sign": ("店门口挂招牌",),
    "enterprise_change": (
        "公司改名",
        "换法人代表",
        "营业执照上的经营范围要改",
        "公司换老板",
        "公司地址变更",
        "公司名字想换一个",
        "股权转让后变更营业执照",
    ),
    "enterprise_relocation": ("公司搬家", "公司从南京搬到杭州", "企业迁到外省", "单位从江苏迁往上海"),
    "enterprise_closing": ("注销公司", "公司不干了怎么关掉", "公司倒闭了要办什么", "企业破产不做了"),
    "tax_closing": ("税务注销", "清税证明"),
    "credit_repair": ("公司上了失信名单怎么消除", "信用修复", "修复征信"),
    "penalty_repair": ("行政处罚记录能撤掉吗", "罚款已经交了，网上的处罚信息能删除吗"),
    "disability_certificate_replacement": ("补办残疾人证",),
    "disability_living_subsidy": ("残疾人补贴",),
    "disability_certificate_issue": ("腿断了评残", "视力残疾怎么领证"),
    "after_death": ("老人去世", "家里人走了之后要办哪些手续", "父亲过世", "妈妈走了，银行卡社保怎么处理", "奶奶病故"),
    "household_cancellation": ("注销户口",),
    "survivors_benefit": ("丧葬费怎么领", "抚恤金", "家属能领多少抚恤"),
    "cremation_certificate": ("火化",),
    "startup_subsidy": ("自己创业有什么补贴",),
    "self_employment": ("创业贷款", "大学生创业", "想自己开个网店当老板", "下岗工人创业"),
    "individual_business_registration": ("个体户执照怎么办",),
    "veterans": ("当兵回来怎么落户安置", "转业复员", "刚退伍要办什么", "义务兵退伍"),
    "veteran_economic_subsidy": ("退伍费",),
    "oversize_transport": (
        "拉超宽超长的货",
        "大件运输证",
        "运风电叶片上高速",
        "超限车通行证",
        "运变压器走国道",
        "运大型机器去外省",
        "超高货物运输审批",
    ),
    "housing_fund_purchase": ("公积金买房", "公积金贷款要什么条件", "首套房贷款", "用公积金贷款买新房"),
    "real_estate_mortgage": ("房子抵押登记",),
    "public_rental_housing": (
        "租不起房政府有房子吗",
        "申请廉租房",
        "公租房",
        "申请保障性住房",
        "低收入家庭租政府的房子",
    ),
    "school_enrolment": (
        "孩子上小学怎么报名",
        "外地孩子在这里读书",
        "幼升小",
        "小升初报名",
        "农民工子女入学",
        "我家小孩今年该上一年级了",
        "随迁子女读初中",
    ),
    "flexible_employment_insurance": (
        "没单位自己交社保",
        "外卖骑手社保怎么交",
        "滴滴司机怎么买社保",
        "快递员自己缴社保",
    ),
    "flexible_medical_enrolment": ("自由职业交医保",),
    "childcare_subsidy": ("三岁以下每年3600元", "育儿补贴", "国家给小孩发的奶粉钱", "生二胎国家补贴", "三孩补贴"),
    "card_replacement": ("补办社保卡", "社保卡消磁了"),
    "unemployment_registration": ("失业了怎么领钱", "被公司辞退后登记失业"),
    "resident_pension_transfer employee_pension_transfer": ("养老保险转回老家",),
    "remote_treatment_filing": ("在外地看病怎么报销", "外省看病备案", "人在外省住院，医保能用吗"),
    "first_identity_card": ("第一次办身份证", "孩子办身份证"),
    "temporary_identity_card": ("身份证丢了急用", "临时坐火车没带身份证"),
    "no_criminal_record_proof": ("无犯罪记录证明", "证明没有犯罪", "考公务员政审要的无犯罪"),
    "marriage_registration": ("领结婚证", "结婚要去哪里登记"),
    "divorce_registration": ("离婚", "办离婚去哪"),
    "household_move_spouse": ("结婚了把户口迁到老公那里", "老婆户口迁过来"),
    "driver_qualification_renewal": ("货车司机从业资格证换证",),
    "tax_payment_proof": ("完税证明", "个税完税凭证"),
    "fund_loan_prepayment": ("提前还公积金贷款",),
    "diploma_notarisation": ("学历公证", "去国外留学学历证明公证"),
    "medical_insurance": ("新生儿医保怎么参加",),
    "illness_retirement": ("病退怎么申请",),
    "one_child_reward": ("独生子女奖励金",),
    "pension_deemed_years": ("工龄怎么算",),
    "fire_safety_check": ("餐馆要消防检查吗", "餐厅消防验收"),
    "tobacco_retail_licence": ("店里卖烟要什么证",),
    "seal_engraving": ("公章丢了重新刻",),
    "abnormal_list_repair": ("公司进了经营异常名录",),
    "disability_certificate_renewal": ("残疾证到期换新", "残疾人证过期"),
    "disability_care_subsidy": ("重度残疾护理费",),
    "disability_certificate_category_change": ("残疾等级变了",),
    "deceased_fund_withdrawal": ("死者的公积金怎么取",),
    "death_certificate_normal": ("死亡证明去哪开",),
    "veteran_training": ("退伍军人培训", "退役士兵学技术"),
    "property_transfer_registration": ("买二手房过户",),
    "housing_fund_purchase_withdrawal": ("买房提取公积金",),
    "deed_tax_declaration": ("契税交多少",),
    "rental_subsidy": ("租房补贴",),
    "public_rental_waiting": ("公租房要排多久", "公租房摇号选房"),
    "flexible_pension_enrolment": ("个人交养老保险",),
    "card_replacement card_loss_report": ("社保卡丢了",),
    "card_activation": ("社保卡激活",),
    "insurance_record_enquiry": ("查一下我的社保交了几年",),
    "chronic_disease_settlement": ("糖尿病门诊报销",),
    "fund_enquiry": ("公积金余额查询", "查公积金账户还有多少钱"),
    "household_move_graduation": ("毕业后户口迁回家",),
    "household_move_study": ("考上大学迁户口",),
    "driving_licence_notarisation": ("驾驶证出国用公证",),
    "driver_qualification_replacement": ("货运从业资格证丢了",),
    "domestic_enterprise_registration": ("注册一家公司",),
    "pollution_permit": ("排污许可证",),
    "cross_region_tax_payment": ("在外地怎么交税",),
    "resident_pension_registration": ("农村养老保险怎么参加",),
    "special_work_early_retirement": ("高温井下工作能早点退休吗",),
    "pension_benefit": ("退休工资怎么算出来的",),
    "credit_repair dishonest_list_repair": ("被列入黑名单",),
    "disability_services": ("聋哑人有什么待遇", "残疾人能办哪些事", "残联管什么"),
    "stock_contract_filing": ("二手房交易网签",),
    "housing_loan_settled_proof": ("房贷还完了开证明",),
    "employee_pension_transfer": ("换了工作社保怎么转",),
}
# Written after the words of the catalogue and never used to choose any: what the search makes of a stranger's words.
# When one of them is wrong, leave the catalogue's words alone; a new phrase that matters belongs above.
UNTUNED = {
    "newborn": ("小孩刚落地要跑哪些部门",),
    "social_security_card": ("宝宝的社会保障卡",),
    "vaccination_card": ("娃要打乙肝疫苗",),
    "maternity_reimbursement": ("生育津贴",),
    "retirement": ("女工人五十岁办退休",),
    "illness_retirement": ("身体不好想提前病退",),
    "one_child_reward": ("老两口只生了一个孩子有奖励吗",),
    "open_restaurant": ("租了个铺面卖麻辣烫", "火锅店执照"),
    "tobacco_retail_licence": ("烟酒店卖香烟",),
    "enterprise_change": ("法人变更", "注册资金增加"),
    "enterprise_relocation": ("企业换到别的省注册",),
    "enterprise_closing": ("不想开公司了",),
    "credit_repair": ("企业信用不好怎么恢复",),
    "abnormal_list_repair": ("移出经营异常",),
    "disability_certificate_replacement": ("残疾证在外地怎么补",),
    "disability_employment_help": ("残疾人找工作",),
    "disability_care_subsidy": ("重残护理补贴",),
    "after_death": ("外公昨天去世了",),
    "pension_account_balance": ("去世老人的养老金余额",),
    "driving_licence_cancellation": ("去世的人驾照要注销吗",),
    "individual_business_registration": ("开个小店办执照",),
    "startup_subsidy": ("创业给多少钱补助",),
    "veteran_report": ("士兵退役回家报到",),
    "military_pension_transfer": ("退伍后社保怎么接",),
    "oversize_transport": ("大件货车上路审批", "拉挖掘机超重"),
    "housing_fund_loan housing_fund_purchase": ("公积金能贷多少买房",),
    "property_notice_registration": ("新房预告登记",),
    "public_rental_housing": ("没钱买房想租便宜的房",),
    "rental_income_check": ("公租房收入怎么核",),
    "school_enrolment": ("孩子六岁上学", "没本地户口的孩子入学"),
    "flexible_pension_enrolment flexible_employment_insurance": ("自由职业者缴纳养老",),
    "childcare_subsidy": ("生娃国家给钱",),
    "card_activation": ("社保卡没激活不能用",),
    "insurance_record_enquiry": ("社保缴费证明打印",),
    "chronic_disease_settlement": ("透析异地结算",),
    "household_move_work": ("工作调到别的城市户口跟着走",),
    "household_move_parents": ("把父母户口迁来",),
    "temporary_identity_card": ("身份证丢失",),
    "driving_licence_notarisation": ("驾照翻译公证",),
    "driver_qualification_assessment": ("从业资格证年审",),
    "social_insurance_declaration": ("公司交社保申报",),
    "fund_loan_prepayment": ("提前还房贷",),
    "fund_supplement": ("公积金补交",),
    "pollution_permit": ("排污证",),
}


@pytest.mark.parametrize(("phrase", "meant"), [(phrase, meant) for meant in PHRASES for phrase in PHRASES[meant]])
def test_the_best_hit_is_what_the_phrase_means(phrase: str, meant: str) -> None:
    hits = INDEX.find(phrase, most=3)
    assert hits
    assert hits[0].code in meant.split(), f"{phrase}: {[(hit.code, hit.score) for hit in hits]}"


def test_most_phrases_of_strangers_are_understood() -> None:
    found = [
        ([hit.code for hit in INDEX.find(phrase, most=3)], meant.split())
        for meant in UNTUNED
        for phrase in UNTUNED[meant]
    ]
    best = sum(codes[:1] != [] and codes[0] in meant for codes, meant in found)
    among = sum(any(code in meant for code in codes) for codes, meant in found)
    assert best / len(found) >= 0.6
    assert among / len(found) >= 0.75


def test_every_phrase_means_something_that_the_catalogue_has() -> None:
    known = {entry.code for entry in (*CATALOGUE.bundles, *CATALOGUE.items)}
    assert {code for meant in (*PHRASES, *UNTUNED) for code in meant.split()} <= known


def test_every_bundle_is_meant_by_two_phrases_at_least() -> None:
    assert [bundle.code for bundle in CATALOGUE.bundles if len(PHRASES.get(bundle.code, ())) < 2] == []


@pytest.mark.parametrize("kind", ["bundle", "item"])
def test_everything_is_found_by_its_own_name(kind: str) -> None:
    entries = CATALOGUE.bundles if kind == "bundle" else CATALOGUE.items
    lost = [each.name for each in entries if (kind, each.code) not in _first_two(each.name)]
    assert lost == []


def test_everything_is_found_by_each_of_its_words() -> None:
    lost = [
        (word, entry.code)
        for entry in (*CATALOGUE.bundles, *CATALOGUE.items)
        for word in entry.words
        if entry.code not in [hit.code for hit in INDEX.find(word)]
    ]
    assert lost == []


def test_a_dozen_phrases_hold_no_name_and_no_word_of_the_catalogue() -> None:
    written = [word for entry in (*CATALOGUE.bundles, *CATALOGUE.items) for word in (entry.name, *entry.words)]
    said = [phrase for phrases in PHRASES.values() for phrase in phrases]
    unwritten = [phrase for phrase in said if not any(word in phrase for word in written)]
    assert len(unwritten) >= 12


def _first_two(text: str) -> list[tuple[str, str]]:
    return [(hit.kind, hit.code) for hit in INDEX.find(text, most=2)]
