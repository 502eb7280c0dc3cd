"""Quotation marks of clean text: 'single' ones become "double", apostrophes stay."""

import re

# Words that lose their head to an apostrophe: 'tis, 'em, and the Cockney's 'ouse.
_ELISIONS = (
    "tis|twas|twere|twill|twould|em|im|cause|cos|cuz|coz|bout|un|ud|ad|ave|e|er|ere|ead|eart|ouse"
    "|ome|ow|ope|n|til|till|pon|neath|gainst|way|nother|spect|fraid|nuff|stead|ware|gin|twixt"
    "|tother|prentice|as|is|eavens|ullo|alf|and|ands|orse|ard|ear|eard|igh|ot|undred|eaven|ole"
    "|oo|ooks?|ealth|stute"
)
_QUOTE = re.compile(
    rf"""(?P<inside>(?<=[A-Za-z0-9])'(?=[A-Za-z]))        # don't
    |(?P<elision>(?<![\w.,!?])'(?=(?:{_ELISIONS})\b))     # 'tis
    |(?P<open>(?:(?<=^)|(?<=[\s(_"'-]))'(?=[\w"'(_.-]))   # 'I see
    |(?P<close>(?<=[^\w\s])'(?![A-Za-z])|(?<=_)'(?![A-Za-z]))
    |(?P<word_end>(?<=\w)'(?![A-Za-z]))                   # the boys' or the end of speech
    |["']""",
    re.X | re.I,
)


def unquote(text: str) -> str:
    """Clean text whose speech stands in 'single quotes', with "double quotes" instead.

    Quotes inside speech become single. Where a mark could be either an apostrophe or a quote, the
    next sure quote of the paragraph decides.
    """
    return "\n\n".join(map(_unquote_paragraph, text.split("\n\n")))


def _unquote_paragraph(paragraph: str) -> str:
    marks = list(_QUOTE.finditer(paragraph))
    sure = ["", *(m.lastgroup for m in reversed(marks))]  # the next sure quote after each mark
    for i in range(1, len(sure)):
        if sure[i] not in ("open", "close"):
            sure[i] = sure[i - 1]
    parts, last, inside = [], 0, False
    for mark, following in zip(marks, reversed(sure[:-1]), strict=True):
        kind = mark.lastgroup
        if inside:
            double = kind == "close" or (kind == "word_end" and following != "close")
        else:
            double = kind == "open" or (
                kind == "elision" and (following == "close" or mark.start() == 0)
            )
        inside ^= double
        parts += [paragraph[last : mark.start()], '"' if double else "'"]
        last = mark.end()
    return "".join(parts) + paragraph[last:]
