"""Draws a message as a reader sees it on Discord, dark or light: plain text or a card."""

import io
import re
from typing import Any

from PIL import Image, ImageColor

from tests.benchmarks.picture import BUTTON, BUTTONS, EDGE, LEFT, LINE, WIDTH, Sheet
from tests.fake_discord import Message
from tests.fake_discord.rules import MENUS

THEMES = {"dark": ("#313338", "#dbdee1", "#949ba4"), "light": ("#ffffff", "#313338", "#5c5e66")}
GREY = {"dark": "#4e5058", "light": "#e3e5e8"}  # of a secondary button
CONTAINER = 17  # the type of component that holds a card
Files = dict[str, bytes]


def paint(message: Message, files: Files, theme: str) -> Image.Image:
    """The message; `files` are what hangs from it, by name."""
    return _Painter(message, files, theme).finish()


def as_read(text: str, message: Message) -> str:
    """What Discord's client makes of mentions, times, links and code."""
    channels = message.world.channels
    text = re.sub(r"<#(\d+)>", lambda m: f"**#{channels[int(m[1])].name}**", text)
    text = re.sub(r"<t:\d+:R>", "in 3 minutes", text)
    text = re.sub(r"<t:\d+:F>", "30 November 2026 08:00", text)
    text = re.sub(r"\[([^\]]*)\]\(<?[^)]*>?\)", r"__\1__", text)
    return re.sub(r"`([^`]*)`", r"\1", text)


class _Painter(Sheet):
    def __init__(self, message: Message, files: Files, theme: str) -> None:
        super().__init__()
        self._message, self._files, self._theme = message, files, theme
        background, self._ink, self._faint = THEMES[theme]
        self.image.paste(background, (0, 0, *self.image.size))
        self.top += 16
        if message.content:
            self._text(message.content)
            self.top += 14
        for part in message.components:
            if part["type"] == CONTAINER:
                for inside in part["components"]:
                    self._part(inside)
                accent = f"#{part['accent_color']:06x}"
                self.draw.rounded_rectangle((LEFT - 40, EDGE, LEFT - 30, self.top), 5, accent)
            else:
                self._part(part)

    def _part(self, part: dict[str, Any]) -> None:
        match part["type"]:
            case 10:
                self._text(part["content"])
            case 12:
                (item,) = part["items"]
                name = item["media"]["url"].partition("://")[2]
                picture = Image.open(io.BytesIO(self._files[name])).convert("RGB")
                width = WIDTH - LEFT - EDGE
                picture = picture.resize((width, width * picture.height // picture.width))
                self.image.paste(picture, (LEFT, self.top))
                self.top += picture.height
            case 13:
                self.paragraph(part["file"]["url"].partition("://")[2], 29, "#00a8fc")
            case 14:
                self.draw.line((LEFT, self.top, WIDTH - EDGE, self.top), self._faint, 2)
            case 1 if part["components"][0]["type"] in MENUS:
                self._menu(part["components"][0])
            case 1:
                self._row(part["components"])
        self.top += 14 + LINE // 8

    def _text(self, text: str) -> None:
        bold = ""  # what began in a line above
        for plain in as_read(text, self._message).split("\n"):
            line = bold + plain if plain else ""
            bold = "**" if line.count("**") % 2 or (bold and not plain) else ""
            if line.startswith("### "):
                self.paragraph(f"**{line[4:]}**", 34, self._ink)
            elif line.startswith("-# "):
                self.paragraph(line[3:], 23, self._faint)
            elif line:
                self.paragraph(line, 29, self._ink)
            else:
                self.top += LINE // 2

    def _row(self, buttons: list[dict[str, Any]]) -> None:
        """Buttons side by side; those that the width has no room for begin another line."""
        x, font = LEFT, self.font(27)
        for button in buttons:
            label = button.get("label") or button["emoji"]["name"]
            width = int(font.getlength(label)) + 56
            if x + width > WIDTH - EDGE:
                x, self.top = LEFT, self.top + BUTTON + 16
            box = (x, self.top, x + width, self.top + BUTTON)
            secondary = button["style"] == 2
            colour = GREY[self._theme] if secondary else BUTTONS[button["style"]]
            ink = self._ink if secondary else "white"
            if button.get("disabled"):  # half as strong as the others
                colour, ink = (self._paled(each) for each in (colour, ink))
            self.draw.rounded_rectangle(box, 14, colour)
            middle = (x + width / 2, self.top + BUTTON / 2)
            self.draw.text(middle, label, ink, font, anchor="mm")
            x += width + 16
        self.top += BUTTON

    def _paled(self, colour: str) -> str:
        both = ImageColor.getrgb(colour), ImageColor.getrgb(THEMES[self._theme][0])
        return "#" + "".join(f"{(a + b) // 2:02x}" for a, b in zip(*both, strict=True))

    def _menu(self, menu: dict[str, Any]) -> None:
        """A menu, closed: what is chosen in it, or what it is for."""
        channels = self._message.world.channels
        labels = [o["label"] for o in menu.get("options") or [] if o.get("default")]
        chosen = menu.get("default_values") or []
        labels += [f"#{channels[int(value['id'])].name}" for value in chosen]
        box = (LEFT, self.top, WIDTH - EDGE, self.top + BUTTON)
        self.draw.rounded_rectangle(box, 14, outline=self._faint, width=2)
        at, font = (LEFT + 24, self.top + BUTTON / 2), self.font(27)
        text = ", ".join(labels) or menu["placeholder"]
        self.draw.text(at, text, self._ink if labels else self._faint, font, anchor="lm")
        self.draw.text((WIDTH - EDGE - 40, at[1]), "v", self._faint, font, anchor="mm")
        self.top += BUTTON
