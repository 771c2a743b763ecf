"""What people write: subjects, messages and survey comments, in English and Chinese, with personal data in some."""

from __future__ import annotations

import random

from .company import Customer

# Per team and language: (topic, subject).
SUBJECTS = {
    11: {
        "en": [
            ("password", "Password reset mail does not arrive"),
            ("sso", "Single sign-on asks twice"),
            ("roles", "New colleague needs a role"),
        ],
        "zh": [("password", "收不到重置密码的邮件"), ("roles", "新同事需要开通权限")],
    },
    12: {
        "en": [
            ("invoice", "Invoice shows the wrong container count"),
            ("invoice", "Credit note is missing"),
            ("dunning", "Reminder although we have paid"),
            ("tax", "VAT number is not printed"),
        ],
        "zh": [("invoice", "发票上的集装箱数量不对"), ("dunning", "已付款但仍收到催款单")],
    },
    13: {
        "en": [
            ("edi", "EDI message rejected by the terminal"),
            ("api", "API answers 502 on booking"),
            ("customs", "Customs declaration is stuck"),
            ("edi", "Partner code is unknown"),
        ],
        "zh": [("edi", "EDI报文被码头拒收"), ("api", "订舱接口返回502错误"), ("customs", "报关单卡住了")],
    },
    14: {
        "en": [
            ("slots", "Truck slot cannot be booked"),
            ("gate", "Gate list is out of date"),
            ("yard", "Container is shown on two yard positions"),
            ("slots", "Slot was cancelled without notice"),
        ],
        "zh": [("slots", "无法预约集卡时段"), ("gate", "闸口清单没有更新"), ("yard", "集装箱显示在两个箱位")],
    },
    15: {
        "en": [("scanner", "Hand scanner loses the network"), ("printer", "Label printer prints blank labels")],
        "zh": [("scanner", "手持扫描枪断网"), ("printer", "标签打印机打出空白标签")],
    },
}

_MESSAGES = {
    "en": [
        "Since this morning we cannot go on. Please have a look.",
        "This is the second time this month.",
        "The ship leaves tomorrow, so it is urgent for us.",
        "Steps: open the booking, press save, see the error.",
        "It works for my colleague but not for me.",
    ],
    "zh": [
        "从今天早上开始就不能用了，请帮忙看一下。",
        "这个月已经是第二次了。",
        "船明天就要开了，我们很着急。",
        "同事可以用，但是我不行。",
    ],
}
_FOLLOW_UPS = {
    "en": [
        "Any news?",
        "Thank you, here is the booking number you asked for.",
        "It still happens.",
        "The screenshot is attached.",
    ],
    "zh": ["请问有进展吗？", "谢谢，这是您要的订舱号。", "问题还在。", "截图见附件。"],
}

_COMMENTS = {
    ("en", "good"): [
        "Quick and friendly, thank you.",
        "Solved at the first contact.",
        "Clear explanation.",
        "The agent knew our set-up.",
    ],
    ("en", "bad"): [
        "We waited far too long.",
        "Had to explain everything twice.",
        "The answer did not help.",
        "Nobody felt responsible.",
    ],
    ("zh", "good"): ["回复很快，谢谢。", "一次就解决了。", "解释得很清楚。", "客服很专业。"],
    ("zh", "bad"): ["等的时间太长了。", "同样的问题说了两遍。", "回答没有帮助。", "没有人负责。"],
}
# The cause of the fall in satisfaction on chat, as customers put it.
_BOT_COMPLAINTS = {
    "en": [
        "The chat bot did not understand me and kept asking the same.",
        "I could not get past the new chat bot.",
        "The bot sent me in circles before a person answered.",
    ],
    "zh": [
        "聊天机器人听不懂，一直问同样的问题。",
        "新的机器人转来转去，找不到人工客服。",
        "机器人答非所问，浪费时间。",
    ],
}


def subject(rng: random.Random, team_id: int, customer: Customer) -> tuple[str, str]:
    """(topic, subject line); one in forty names a telephone number."""
    topic, line = rng.choice(SUBJECTS[team_id][customer.language])
    if rng.random() < 0.025:
        line += f"，电话 {customer.phone}" if customer.language == "zh" else f" (tel. {customer.phone})"
    return topic, line


def description(rng: random.Random, customer: Customer) -> str:
    """First message of a ticket; a third is signed, with a name, a number or an address."""
    return _signed(rng, rng.choice(_MESSAGES[customer.language]), customer, 0.35)


def follow_up(rng: random.Random, customer: Customer) -> str:
    return _signed(rng, rng.choice(_FOLLOW_UPS[customer.language]), customer, 0.10)


def comment(rng: random.Random, customer: Customer, is_good: bool, blames_bot: bool) -> str:
    """Comment of a survey answer."""
    if blames_bot:
        text = rng.choice(_BOT_COMPLAINTS[customer.language])
    else:
        text = rng.choice(_COMMENTS[customer.language, "good" if is_good else "bad"])
    return _signed(rng, text, customer, 0.08)


def _signed(rng: random.Random, text: str, customer: Customer, share: float) -> str:
    chance = rng.random()
    if chance >= share:
        return text
    kind = int(chance / share * 3)
    if customer.language == "zh":
        ending = (f"我是{customer.name}。", f"请打电话 {customer.phone}。", f"邮箱 {customer.email}")[kind]
        return f"{text}{ending}"
    ending = (
        f"Best regards, {customer.name}",
        f"Call me at {customer.phone}.",
        f"Please answer to {customer.email}.",
    )[kind]
    return f"{text} {ending}"
