"""Draws an answer as a reader sees it: python tests/benchmarks/picture.py [docs/answer.png].

The real bot with the shipped model answers a command through the stand-in for Discord; what is
drawn is the message that arrived there, with its buttons. Settings are the defaults, words and seed
the first of those of docs/samples.md: chosen by rule, not by taste. The file says which weights
wrote it.
"""

import argparse
import asyncio
import contextlib
import re
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import matplotlib  # noqa: E402
from PIL import Image, ImageDraw, ImageFont  # noqa: E402
from PIL.PngImagePlugin import PngInfo  # noqa: E402

from bot.client import Pooh  # noqa: E402
from bot.run import serve, use_server  # noqa: E402
from bot.settings import Settings  # noqa: E402
from bot.writer import Writer  # noqa: E402
from model.weights import DEFAULT_MODEL, load_decoder, resolve  # noqa: E402
from model.words import WordFilter  # noqa: E402
from model.writing import CANDIDATES  # noqa: E402
from scripts.refresh_docs import PROMPTS, SEEDS, digest  # noqa: E402
from tests.fake_discord import DiscordServer, Message  # noqa: E402

WIDTH, EDGE, LEFT = 1240, 32, 136  # pixels: the picture, its margin, where text begins
LINE, BUTTON = 42, 64  # pixels: heights
BACKGROUND, TEXT, FAINT, HONEY = "#313338", "#dbdee1", "#949ba4", "#f0b232"
BUTTONS = {1: "#5865f2", 2: "#4e5058", 3: "#248046", 4: "#da373c"}  # colours by style
MARKS = re.compile(r"\\(.)|(\*\*)|(__)|(_)|\u200b|(\s+)|(.)", re.S)


async def answer(prompt: str, seed: int) -> Message:
    """What the real bot answers at its default settings, as it lies on the server."""
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = await stack.enter_async_context(DiscordServer())
        use_server(server.api_base, server.gateway_url)
        settings = Settings(token=server.token, database=folder / "pooh.db")
        words = WordFilter()
        writer = Writer(*load_decoder(settings.model), words, candidates=CANDIDATES)
        client = Pooh(settings, writer, words, weights=resolve(settings.model)[0])
        running = asyncio.create_task(serve(client, server.token))
        await server.online()
        use = server.person("Kanga").command("pooh", prompt=prompt, seed=seed)
        message = await server.until(
            lambda: use.original if use.original and "Again" in use.original.buttons else None
        )
        await client.leave()
        await running
        return message


class Sheet:
    """A picture that is written on from top to bottom."""

    def __init__(self) -> None:
        self.image = Image.new("RGB", (WIDTH, 4000), BACKGROUND)
        self.draw = ImageDraw.Draw(self.image)
        self.top = EDGE

    def font(self, size: int, style: str = "") -> ImageFont.FreeTypeFont:
        """A font that comes with matplotlib: "", "Bold" or "Oblique"."""
        name = f"DejaVuSans{'-' + style if style else ''}.ttf"
        return ImageFont.truetype(str(Path(matplotlib.get_data_path(), "fonts/ttf", name)), size)

    def paragraph(self, text: str, size: int, colour: str) -> None:
        """Text with Discord's bold, italics and underlines, in lines as wide as the sheet."""
        x: float = LEFT
        style, gap, underlined, gap_underlined = "", "", False, False
        word: list[tuple[str, str, bool]] = []  # its characters, each in its style

        def put() -> None:
            nonlocal x, word, gap, gap_underlined
            if not word:
                return
            width = sum(self.font(size, style).getlength(letter) for letter, style, _ in word)
            space = self.font(size).getlength(gap) if x > LEFT else 0.0
            if x + space + width > WIDTH - EDGE:
                self.top += LINE
                x, space = LEFT, 0.0
            x += space
            for number, (letter, styled, line) in enumerate(word):
                font = self.font(size, styled)
                self.draw.text((x, self.top), letter, colour, font)
                end = x + font.getlength(letter)
                if line:
                    begin = x - (space if number == 0 and gap_underlined else 0.0)
                    self.draw.line(
                        (begin, self.top + size + 6, end, self.top + size + 6), colour, 2
                    )
                x = end
            word, gap, gap_underlined = [], "", False

        for escaped, bold, line, italic, blank, plain in MARKS.findall(text):
            if line:
                underlined = not underlined
            elif bold or italic:
                kind = "Bold" if bold else "Oblique"
                style = "" if style == kind else kind
            elif blank:
                put()
                gap, gap_underlined = blank, underlined
            elif escaped or plain:
                word.append((escaped or plain, style, underlined))
        put()
        self.top += LINE

    def buttons(self, message: Message) -> None:
        """The message's buttons, row by row, in the colours of their styles."""
        font = self.font(27)
        for row in message.components:
            x = LEFT
            for button in row["components"]:
                width = int(font.getlength(button["label"])) + 56
                box = (x, self.top, x + width, self.top + BUTTON)
                self.draw.rounded_rectangle(box, 14, BUTTONS[button["style"]])
                middle = (x + width / 2, self.top + BUTTON / 2)
                self.draw.text(middle, button["label"], "white", font, anchor="mm")
                x += width + 16
            self.top += BUTTON + 16
        self.top -= 16

    def finish(self) -> Image.Image:
        """The part that was written on."""
        return self.image.crop((0, 0, WIDTH, self.top + EDGE))


def paint(message: Message) -> Image.Image:
    """The message, below who asked for it."""
    sheet = Sheet()
    assert message.interaction
    asked = message.interaction
    sheet.draw.text((LEFT, sheet.top), f"{asked.person.name} used ", FAINT, sheet.font(24))
    after = LEFT + sheet.font(24).getlength(f"{asked.person.name} used ")
    sheet.draw.text((after, sheet.top), f"/{asked.data['name']}", "#949cf7", sheet.font(24))
    sheet.top += 50
    sheet.draw.ellipse((EDGE, sheet.top, EDGE + 80, sheet.top + 80), HONEY)
    sheet.draw.text((EDGE + 40, sheet.top + 40), "P", "#5c3a00", sheet.font(44, "Bold"), "mm")
    sheet.draw.text((LEFT, sheet.top), "Pooh", "white", sheet.font(30, "Bold"))
    sheet.draw.rounded_rectangle(
        (LEFT + 96, sheet.top + 2, LEFT + 164, sheet.top + 36), 8, "#5865f2"
    )
    sheet.draw.text((LEFT + 130, sheet.top + 19), "APP", "white", sheet.font(22, "Bold"), "mm")
    sheet.top += 50
    for line in message.content.split("\n"):
        if line.startswith("-# "):
            sheet.paragraph(line[3:], 23, FAINT)
        elif line:
            sheet.paragraph(line, 29, TEXT)
        else:
            sheet.top += LINE // 2
    sheet.top += 10
    sheet.buttons(message)
    return sheet.finish()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("picture", nargs="?", type=Path, default=ROOT / "docs" / "answer.png")
    options = parser.parse_args()
    message = asyncio.run(answer(PROMPTS[0], SEEDS[0]))
    print(message.content)
    options.picture.parent.mkdir(exist_ok=True)
    written = PngInfo()
    written.add_text("weights", digest(DEFAULT_MODEL))
    paint(message).quantize(48).save(options.picture, optimize=True, pnginfo=written)


if __name__ == "__main__":
    main()
