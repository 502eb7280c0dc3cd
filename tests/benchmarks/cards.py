"""Draws the cards as a reader sees them: python tests/benchmarks/cards.py FOLDER.

The real bot with the shipped model tells a story through the stand-in for Discord, and its buttons
are pressed; what is drawn are the messages that arrived there, on Discord's dark and light.
"""

import argparse
import asyncio
import copy
import io
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from PIL import Image, ImageDraw  # noqa: E402

from bot.client import Pooh  # noqa: E402
from bot.run import serve, use_server  # noqa: E402
from bot.settings import Settings  # noqa: E402
from bot.writer import Writer  # noqa: E402
from model.weights import load_decoder, resolve  # noqa: E402
from model.words import WordFilter  # noqa: E402
from model.writing import CANDIDATES  # noqa: E402
from scripts.refresh_docs import PROMPTS, SEEDS  # noqa: E402
from tests.benchmarks.picture import BUTTON, BUTTONS, EDGE, LEFT, LINE, WIDTH, Sheet  # noqa: E402
from tests.fake_discord import (  # noqa: E402
    MANAGE_GUILD,
    DiscordServer,
    Interaction,
    Message,
    Person,
)
from tests.fake_discord.rules import MENUS  # noqa: E402

THEMES = {"dark": ("#313338", "#dbdee1", "#949ba4"), "light": ("#ffffff", "#313338", "#5c5e66")}


async def cards() -> dict[str, tuple[Message, dict[str, bytes]]]:
    """Each kind of card as it lies on the server, and its files by name."""
    with tempfile.TemporaryDirectory() as folder:
        return await _cards(Path(folder) / "pooh.db")


async def _cards(database: Path) -> dict[str, tuple[Message, dict[str, bytes]]]:
    async with DiscordServer() as server:
        use_server(server.api_base, server.gateway_url)
        settings = Settings(token=server.token, cooldown=0.0, burst=100, database=database)
        words = WordFilter()
        writer = Writer(
            *load_decoder(settings.model), words, candidates=CANDIDATES, new_seed=lambda: SEEDS[0]
        )
        client = Pooh(settings, writer, words, weights=resolve(settings.model)[0])
        running = asyncio.create_task(serve(client, server.token))
        await server.online()
        kanga, roo = server.person("Kanga"), server.person("Roo")
        use = kanga.command("pooh", prompt=PROMPTS[0], seed=SEEDS[0])
        story = await server.until(
            lambda: use.original if use.original and "Again" in use.original.buttons else None,
            patience=60,
        )

        async def card(use: Interaction) -> tuple[Message, dict[str, bytes]]:
            message = await server.until(
                lambda: next((m for m in use.messages if m.components), None), patience=60
            )
            files = {
                str(a["filename"]): server.files[a["url"].partition("/attachments/")[2]]
                for a in message.attachments
            }
            return copy.copy(message), files  # as it is now

        found = {"how": await card(kanga.press(story, "How?"))}
        for label in ("Letters", "Layers"):  # somebody else's press makes another card
            found[label.lower()] = await card(roo.press(found["how"][0], label))
        found["keep"] = await card(roo.press(story, "Keep"))
        found |= await race(server, kanga, roo)
        use = kanga.press(story, "Fork")
        message, _ = found["fork"] = await card(use)
        for label in ("A · 0", "Count now"):
            roo.press(message, label) if "A" in label else kanga.press(message, label)
        await server.until(lambda: use.followups, patience=60)
        await server.until(lambda: use.original and len(use.original.buttons) == 1, patience=60)
        found["fork told"] = await card(use)
        found["privacy"] = await _shown(server, roo.command("privacy")), {}
        kanga.permissions |= MANAGE_GUILD
        found["setup"] = await _shown(server, kanga.command("setup")), {}
        chosen = await _shown(server, kanga.command("setup"))
        for field in ("mentions", "story_channel"):
            edits = len(chosen.edits)
            kanga.choose(chosen, f"pooh:setup:{field}", server.channel)
            await server.until(lambda before=edits: len(chosen.edits) > before)  # type: ignore[misc]
        edits = len(chosen.edits)
        kanga.press(chosen, custom_id="pooh:setup:on")
        await server.until(lambda: len(chosen.edits) > edits)
        found["setup-chosen"] = chosen, {}
        await client.leave()
        await running
        return found


async def race(
    server: DiscordServer, kanga: Person, roo: Person
) -> dict[str, tuple[Message, dict[str, bytes]]]:
    """A race before and after it is told who was who: one message, that is copied meanwhile."""
    use = kanga.command("race", prompt=PROMPTS[0])
    await server.until(lambda: use.original and use.original.components, patience=60)
    message = use.original
    assert message is not None
    for person, label in ((kanga, "A · 0"), (roo, "B · 0"), (roo, "A · 1")):
        await server.until(lambda label=label: label in message.buttons)  # type: ignore[misc]
        person.press(message, label)
    await server.until(lambda: "A · 2" in message.buttons)
    before = copy.copy(message)
    kanga.press(message, list(message.buttons)[-1])
    await server.until(lambda: not message.buttons, patience=60)
    return {"race": (before, {}), "race-told": (message, {})}


async def _shown(server: DiscordServer, use: Interaction) -> Message:
    """A card without a picture."""
    message = await use.answer()
    await server.until(lambda: message.components)
    return message


def paint(message: Message, files: dict[str, bytes], theme: str) -> Image.Image:
    """A card."""
    background, ink, faint = THEMES[theme]
    sheet = Sheet()
    sheet.image.paste(background, (0, 0, *sheet.image.size))
    (container,) = message.components
    sheet.top += 16
    for part in container["components"]:
        _part(sheet, part, files, ink, faint)
        sheet.top += 14
    accent = f"#{container['accent_color']:06x}"
    sheet.draw.rounded_rectangle((LEFT - 40, EDGE, LEFT - 30, sheet.top), 5, accent)
    return sheet.finish()


def _part(
    sheet: Sheet, part: dict[str, Any], files: dict[str, bytes], ink: str, faint: str
) -> None:
    match part["type"]:
        case 10:
            text = re.sub(r"<t:\d+:R>", "in 3 minutes", part["content"])
            for line in text.split("\n"):
                if line.startswith("### "):
                    sheet.paragraph(f"**{line[4:]}**", 34, ink)
                else:
                    small = line.startswith("-# ")
                    sheet.paragraph(
                        line.removeprefix("-# "), 23 if small else 29, faint if small else ink
                    )
        case 12:
            (item,) = part["items"]
            name = item["media"]["url"].partition("://")[2]
            picture = Image.open(io.BytesIO(files[name])).convert("RGB")
            width = WIDTH - LEFT - EDGE
            picture = picture.resize((width, width * picture.height // picture.width))
            sheet.image.paste(picture, (LEFT, sheet.top))
            sheet.top += picture.height
        case 13:
            sheet.paragraph(part["file"]["url"].partition("://")[2], 29, "#00a8fc")
        case 14:
            ImageDraw.Draw(sheet.image).line((LEFT, sheet.top, WIDTH - EDGE, sheet.top), faint, 2)
        case 1 if part["components"][0]["type"] in MENUS:
            _menu(sheet, part["components"][0], faint, ink)
        case 1:
            x, font = LEFT, sheet.font(27)
            for button in part["components"]:
                width = int(font.getlength(button["label"])) + 56
                box = (x, sheet.top, x + width, sheet.top + BUTTON)
                sheet.draw.rounded_rectangle(box, 14, BUTTONS[button["style"]])
                middle = (x + width / 2, sheet.top + BUTTON / 2)
                sheet.draw.text(middle, button["label"], "white", font, anchor="mm")
                x += width + 16
            sheet.top += BUTTON
    sheet.top += LINE // 8


def _menu(sheet: Sheet, menu: dict[str, Any], faint: str, ink: str) -> None:
    """A menu, closed: what is chosen in it, or what it is for."""
    labels = [o["label"] for o in menu.get("options") or [] if o.get("default")]
    labels += [f"#{value['id']}" for value in menu.get("default_values") or []]
    box = (LEFT, sheet.top, WIDTH - EDGE, sheet.top + BUTTON)
    sheet.draw.rounded_rectangle(box, 14, outline=faint, width=2)
    at, font = (LEFT + 24, sheet.top + BUTTON / 2), sheet.font(27)
    text = ", ".join(labels) or menu["placeholder"]
    sheet.draw.text(at, text, ink if labels else faint, font, anchor="lm")
    sheet.draw.text((WIDTH - EDGE - 40, at[1]), "v", faint, font, anchor="mm")
    sheet.top += BUTTON


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for name, (message, files) in asyncio.run(cards()).items():
        for theme in THEMES:
            path = options.folder / f"{name}-{theme}.png"
            paint(message, files, theme).quantize(64).save(path, optimize=True)
            print(path)


if __name__ == "__main__":
    main()
