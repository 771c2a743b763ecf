"""Names that a rule can find: after greetings and titles, before the end of a letter, in "my name is", and the names
that the row itself declares. A name in the middle of a sentence is found by none of them."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from hansei.sources.redaction_steps import any_of, changed_where

# Words that stand where a name would are kept from the rules by a sign that no letter is.
_GUARD = "\x02"
_PARTICLE = "van|von|vom|de|der|den|del|della|di|da|do|du|la|le|ten|ter|bin|ibn|al|dos|das|zu|zur|af|av"
_PARTICLES = rf"(?:(?:{_PARTICLE}) {_GUARD}?){{0,3}}"
# The letters of scripts that have capitals, for without them no name is told from a word; any letter (`\p{L}`) would
# cost ten times as much, each time that RE2 reads the pattern.
_LETTERS = r"\p{Latin}\p{Greek}\p{Cyrillic}\p{Armenian}"
_WORD = rf"\p{{Lu}}[{_LETTERS}'’-]*"
_NAME = rf"(?:{_WORD}\.? {_PARTICLES}){{0,3}}{_WORD}[{_LETTERS}]"
_TITLES = (
    r"Mrs?\.?|Ms\.?|Miss|Mister|Sir|Dr\.?|Prof\.?|Herrn?|Frau|Frl\.|Monsieur|Madame|Mademoiselle|Mme|Mlle|M\.|"
    r"Señora?|Señorita|Sra?\.|Srta\.|Signora?|Sig\.(?:ra)?|Senhora?|Mevrouw|Meneer|Dhr\.?|Mevr\.?"
)
_GREETINGS = (
    r"Dear|Hello|Hi|Hey|Hiya|Good (?:morning|afternoon|evening|day)|Hallo|Moin|Servus|Guten (?:Tag|Morgen|Abend)|"
    r"Grüß Gott|Lieber?|Sehr geehrter?|Werter?|Bonjour|Bonsoir|Salut|Cher|Chère|Hola|Buenos días|Buenas tardes|"
    r"Estimad[oa]|Querid[oa]|Gentile|Egregi[oa]|Buongiorno|Ciao|Car[oa]|Geachte|Beste|Prezad[oa]|Olá"
)
_CLOSINGS = (
    r"(?:Best|Kind|Kindest|Warm|Many) regards|Regards|Yours (?:sincerely|faithfully|truly)|Sincerely(?: yours)?|"
    r"Best wishes|All the best|Best|Cheers|Many thanks|Thanks(?: again| in advance| a lot)?|Thank you|Mit freundlichen "
    r"Gr(?:ü|ue)(?:ß|ss)en|Freundliche Gr(?:ü|ue)(?:ß|ss)e|(?:Viele|Beste|Liebe|Schöne|Herzliche) Gr(?:ü|ue)(?:ß|ss)e|"
    r"Vielen Dank|(?:Danke|Dank) und Gru(?:ß|ss)|Danke|"
    r"MfG|LG|VG|Gru(?:ß|ss)|Cordialement|Bien cordialement|Bien à vous|Sincères salutations|Merci|"
    r"Saludos(?: cordiales)?|Un (?:cordial )?saludo|Atentamente|Gracias|Cordiali saluti|Distinti saluti|"
    r"Met vriendelijke groet|Atenciosamente"
)
_SELF = (
    r"my name is|my name's|mein Name ist|ich heiße|ich heisse|je m[’']appelle|mon nom est|me llamo|mi nombre es|"
    r"mi chiamo|mijn naam is|ik heet|meu nome é|me chamo|s[’']appelle|se llama|si chiama|on behalf of|im Namen von|"
    r"im Auftrag von|au nom de|en nombre de"
)
_NOBODY = (
    r"Team|Teams|Support|Sir|Sirs|Madam|Customers?|Service|Services|Everyone|Everybody|All|There|Folks|Guys|Colleagues?|"
    r"Friends?|Helpdesk|Desk|Help|IT|Hansei|Your?|The|We|I|It|In|On|For|From|Please|Sent|Damen|Herren|Kolleg(?:e|en|in|"
    r"innen)|Kund(?:e|en|in)|Zusammen|Ihr|Ihre|Das|Die|Der|Es|Wir|Ich|Bitte|Tous|Toutes|Équipe|Messieurs|Mesdames|Client|"
    r"Je|Nous|Le|La|Les|El|Los|Las|Equipo|Señores|Cliente|Todos|Yo|No|Not|But|And|Und|Et|Y|This|That|After|Since|When|"
    r"My|Our|Morning|Vorab|Im|Am|An|Seit|Nach|Leider|Now|Yes|Ja|Nein|Oui|Si|Sí|Again|World"
)
_CLOSING_WORDS = r"Gr(?:ü|ue)(?:ß|ss)en?|Gru(?:ß|ss)|Regards|Wishes|Saludos|Dank|Salutations|Saluti"
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾"
    "夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严欧莫孔向常汤"
)
_HAN_NAME = rf"(?:[{_SURNAMES}]|欧阳|司马|诸葛|上官)\p{{Han}}{{1,2}}"
_HAN_TITLES = r"先生|女士|小姐|老师|经理|总监|主任|医生|师傅"
# (pattern, what stands there afterwards); RE2 has no look-around, so what is kept is captured.
_LETTER_ENDS = (
    (rf"((?:^|[\n.!?] *)(?:(?:{_CLOSINGS})[,.!]?(?:\s*\n\s*|\s+[-–]?\s?))+){_NAME}", r"\1[name]"),
    (rf"(?m)^(\s*(?:--|—|–)\s*\n?\s*){_NAME}\s*$", r"\1[name]"),
    (
        rf"(^|[^{_LETTERS}{_GUARD}])({_CLOSING_WORDS})([^{_LETTERS}]|$)",
        rf"\1{_GUARD}\2\3",
    ),  # "Liebe Grüße" greets nobody
)
_RULES = (
    (rf"\b({_TITLES}) (?:(?:Dr|Prof|Mag|Ing)\.? )+(\p{{Lu}})", r"\1 \2"),  # else the second title would be a name
    (rf"(?m)^([\s>]*(?:{_GREETINGS})(?:,? (?:{_TITLES}))*,?) {_NAME}", r"\1 [name]"),
    (rf"\b((?:{_TITLES})) {_NAME}", r"\1 [name]"),
    (rf"((?i:{_SELF})) {_NAME}", r"\1 [name]"),
    (
        rf"((?i:\bthis is|\bhier (?:ist|spricht)|\bici)) {_NAME}"
        r"(,? (?:from|of|at|calling|speaking|again|von|aus|de)\b)",
        r"\1 [name]\2",
    ),
    (r"\[name\](?: \[name\])+", "[name]"),  # a title that was taken for a name
)
_HAN_RULES = (
    (rf"(?:[{_SURNAMES}]|欧阳|司马)\p{{Han}}{{0,2}}({_HAN_TITLES})", r"[name]\1"),
    (
        rf"(我叫|我是|我的名字是|本人|姓名[::]?|联系人[::]?|收件人[::]?|签名[::]?)\s?{_HAN_NAME}([,。,.!!;;、\s]|$)",
        r"\1[name]\2",
    ),
    (rf"(?m)((?:谢谢|此致|敬礼|祝好|顺祝商祺|多谢)[,,。!!]?\s*\n\s*){_HAN_NAME}\s*$", r"\1[name]"),
)
_HINT = rf"(?:{_GREETINGS}|{_TITLES}|{_CLOSINGS}) ?[,.!]?\s|(?i:{_SELF}|this is|hier |ici )|(?m:^\s*(?:--|—|–))"
_HAN_HINT = rf"{_HAN_TITLES}|我叫|我是|名|本人|联系人|收件人|谢谢|此致|敬礼|祝好|商祺|多谢"
NAME_HINT = any_of(_HINT, _HAN_HINT)
_SHORTEST_PART = 3


def without_names(texts: pa.Array) -> pa.Array:
    """The texts with the names that a rule finds as `[name]`."""
    texts = changed_where(texts, _HINT, _guarded)
    return changed_where(texts, _HAN_HINT, lambda found: _ruled(found, _HAN_RULES))


def _guarded(texts: pa.Array) -> pa.Array:
    # Not by \\b, which knows only the letters of ASCII.
    guarded = pc.replace_substring_regex(texts, rf"(^|[^{_LETTERS}])({_NOBODY})([^{_LETTERS}]|$)", rf"\1{_GUARD}\2\3")
    return pc.replace_substring(_ruled(guarded, (*_LETTER_ENDS, *_RULES)), _GUARD, "")


def _ruled(texts: pa.Array, rules: tuple[tuple[str, str], ...]) -> pa.Array:
    for pattern, replacement in rules:
        texts = pc.replace_substring_regex(texts, pattern, replacement)
    return texts


def without_declared(texts: pa.Array, names: pa.Array) -> pa.Array:
    """The texts without the names of their own rows: whole, and each part of three letters or more as a word.

    names: what the row calls its persons, NULL where it names nobody; a part counts only where it is written with the
    same capitals, the whole name in any.
    """
    both = pc.and_(pc.is_valid(texts), pc.is_valid(names))
    if not pc.any(both).as_py():
        return texts
    pairs = zip(texts.filter(both).to_pylist(), names.filter(both).to_pylist(), strict=True)
    return pc.replace_with_mask(texts, both, pa.array([_undeclared(text, name) for text, name in pairs], pa.string()))


def _undeclared(text: str, name: str) -> str:
    parts = [part for part in re.split(r"[\s,]+", name) if len(part) >= _SHORTEST_PART]
    if not any(part in text for part in parts) and name.casefold() not in text.casefold():
        return text
    text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "[name]", text, flags=re.IGNORECASE)
    for part in parts:
        text = re.sub(rf"(?<!\w){re.escape(part)}(?!\w)", "[name]", text)
    return re.sub(r"\[name\](?: \[name\])+", "[name]", text)
