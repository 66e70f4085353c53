"""Signs by what readers see of them: letters and digits that look like Latin ones, and signs without any shape.

Drawn from Unicode's data: the single signs of confusables.txt (UTS 39) whose skeleton is of Latin letters or digits,
strokes apart, with the small capitals; and the property Default_Ignorable_Code_Point of DerivedCoreProperties.txt.
"""

# ruff: noqa: RUF001 - letters of other scripts are meant

from __future__ import annotations

from typing import Final

_ROWS: Final = (
    "2 ƧƻϨᒿꙄꛯꝚ",
    "3 ƷȜЗӠⳌꝪꞫ𑣊𖼻",
    "4 Ꮞ𑢯",
    "5 Ƽ𑢻",
    "6 бᏮⳒ𑣕",
    "7 𐓒𑣆",
    "8 Ȣȣ৪੪𐌚𞣋",
    "9 ৭੧୨൭ⳊꝮ𑢬𑣌𑣖",
    "A ΑАᎪᗅꓮ𐊠𖽀",
    "B ΒВᏴᗷꓐꞴ𐊂𐊡𐌁",
    "C СᏟⲤꓚ𐊢𐌂𐐕𐔜𑣩𑣲",
    "D ÐĐƉᎠᗞᗪꓓ",
    "E ɆΕЕᎬⴹꓰ𐊆𑢦𑢮",
    "F ϜᖴꓝꞘ𐊇𐊥𐔥𑢢𑣂",
    "G ǤԌᏀᏳꓖ",
    "H ĦΗНᎻᕼⲎꓧ𐋏",
    "J ɈͿЈᎫᒍꓙꞲ",
    "K ΚКҞᏦᛕⲔꓗꝀ𐔘",
    "L ŁᏞᒪⳐꓡ𐐛𐔦𑢣𑢲𖼖",
    "M ΜϺМᎷᗰᛖⲘꓟ𐊰𐌑",
    "N ΝⲚꓠ𐔓",
    "O ØƟΘΟθОѲӨՕ߀০ଠ୦ዐᎾᏫⲞⴱⵁⵔ〇ꓳꝊ𐊒𐊫𐐄𐓂𐔖𑓐𑢵𑣠",
    "P ΡРᏢᑭⲢꓑ𐊕",
    "Q ⵕ",
    "R ƦᎡᏒᖇꓣ𐒴𖼵",
    "S ЅՏᏕᏚꓢ𐊖𐐠𖼺",
    "T ŦȾΤТᎢⲦꓔ𐊗𐊱𐌕𑢼𖼊",
    "U ɄՍሀᏌᑌꓴ𐓎𑢸𖽂",
    "V Ѵ٧۷Ꮩᐯⴸꓦꛟ𐔝𑢠𖼈",
    "W ԜᎳᏔꓪ𑣦𑣯",
    "X ΧХᚷⲬⵝꓫꞳ𐊐𐊴𐌗𐌢𐔧𑣬",
    "Y ɎΥУҮҰᎩᎽⲨꓬ𐊲𑢤𖽃",
    "Z ƵΖᏃꓜ𐋵𑢩𑣥",
    "a ɑαаᴀꭺ",
    "b ƀƄʙЬвѢѣҌҍᏏᏼᑲᖯ",
    "c ȼсᴄⲥꮯ𐐽",
    "d đԁᏧᑯᴅꓒꭰ",
    "e ɇеҽᴇꬲꭼ",
    "f քᵮẝꜰꞙꬵ",
    "g ƍǥɡɢԍցᏻᶃꮐ",
    "h ħʜнћһհᏂꮋ",
    "i ıɨɩɪιіӏᎥᵻᵼꙇꭵ𑣃",
    "j ɉϳјᴊꭻ",
    "k ᴋ",
    "l łƖƗƚǀɫʟΙІӀוןا١۱ߊᛁⲒⳑⵏꓲꮮ𐊊𐌉𐌠𐑃𖼨𞣇",
    "m ᴍ",
    "n ɴոռᵰ",
    "o øɵοσоѳөօסه٥ھہە۵०੦૦௦౦೦ഠ൦๐໐ဝ၀ჿᴏᴑⲟꝋꬽꬾꮎꮻ𐐬𐓪𑣈𑣗",
    "p ρрᴘᴩᵽⲣꮲ",
    "q ԛգզꞯ",
    "r ɍʀгғᴦᵲⲅꭇꭈꭱꮁꮢ",
    "s ƽѕᵴꜱꮪ𐑈𑣁",
    "t ŧτтᴛᵵꭲ",
    "u ʋυսᴜᵾꞟꭎꭒꮜ𐓶𑣘",
    "v νѵטᴠꮩ𑜆𑣀",
    "w ɯѡԝաᴡꮃ𑜊𑜎𑜏",
    "x хᕁᕽ",
    "y ɏɣʏγуүұყᶌỿꭚ𑣜",
    "z ƶᴢᵶꮓ𑣄",
    "AA Ꜳ",
    "AE ÆӔ",
    "AO Ꜵ",
    "AU Ꜷ",
    "AV ꜸꜺ",
    "AY Ꜽ",
    "OE Œ",
    "OO ꚘꝎ",
    "T3 Ꜩ",
    "aa ꜳ",
    "ae æӕ",
    "ao ꜵ",
    "au ꜷ",
    "av ꜹꜻ",
    "ay ꜽ",
    "bl Ы",
    "dz ʣ",
    "lO Ю",
    "ll ǁװ",
    "ls ʪ",
    "lz ʫ",
    "oe œ",
    "oo ꚙꝏ",
    "rn ᵯ𑜀𑣣",
    "tf ꝷ",
    "ts ʦ",
    "ue ᵫ",
    "uo ꭣ",
)
"""What signs look like, and the signs."""

LIKE_LATIN: Final = {sign: row.split()[0] for row in _ROWS for sign in row.split()[1]}
"""What a sign looks like, by the sign."""

_IGNORABLE: Final = (
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
_BLANK: Final = 0x2800
"""The Braille pattern without a dot, which is no blank by its class."""


def is_unseen(sign: str) -> bool:
    """Whether a sign has no shape of its own and is no blank either."""
    code = ord(sign)
    return code == _BLANK or any(first <= code <= last for first, last in _IGNORABLE)
