"""What all cards are made of: parts in one container, in the colour of honey."""

from collections.abc import Sequence
from typing import Any

import discord

HONEY = 0xF3C565

Part = discord.ui.Item[discord.ui.LayoutView]
Item = discord.ui.Item[Any]


def card(*parts: Part) -> discord.ui.LayoutView:
    """A card of these parts, from top to bottom."""
    view = discord.ui.LayoutView(timeout=None)
    view.add_item(discord.ui.Container(*parts, accent_colour=HONEY))
    return view


def text(content: str) -> Part:
    """Markdown."""
    return discord.ui.TextDisplay(content)


def picture(name: str, alt: str) -> Part:
    """A picture, that hangs from the message as a file of this name, and what it shows in words."""
    gallery = discord.ui.MediaGallery[discord.ui.LayoutView]()
    gallery.add_item(media=f"attachment://{name}", description=alt)
    return gallery


def row(items: Sequence[Item]) -> Part:
    """Buttons side by side, or one menu."""
    return discord.ui.ActionRow(*items)
