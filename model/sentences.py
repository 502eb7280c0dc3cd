"""Where sentences end, so that a story can be made to end there too."""

import re

SENTENCE_END = re.compile(r"(?<!\bMr)(?<!\bMrs)(?<!\bDr)[.!?][\"'_)]*(?=\s|$)")


def last_end(text: str, least: int, before: str = "") -> int | None:
    """Where a text may end: after its last sentence that leaves nobody in the midst of speaking.

    Args:
        text: what was written, quotes straight.
        least: it shall not end before that many characters.
        before: what stands before it, which may have begun a speech.

    Returns:
        The length up to there. Where every such sentence leaves a quote open, up to the last of
        them; None where no sentence ends.
    """
    ends = [match.end() for match in SENTENCE_END.finditer(text) if match.end() >= least]
    if not ends:
        return None
    # In speech of several paragraphs each opens a quote, and only the last closes one.
    paragraphs = [(before + text[:end]).rpartition("\n\n")[2] for end in ends]
    closed = [end for end, p in zip(ends, paragraphs, strict=True) if p.count('"') % 2 == 0]
    return (closed or ends)[-1]
