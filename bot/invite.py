"""Where people invite the bot: the links, and what it asks to be allowed."""

import discord

PERMISSIONS = discord.Permissions(
    view_channel=True,
    send_messages=True,
    create_public_threads=True,  # for story circles
    send_messages_in_threads=True,
    attach_files=True,
    read_message_history=True,  # without it no message can be replied to (error 160002)
)


def links(application: int) -> tuple[str, str]:
    """The links with which a server, and a person, installs the application of this id."""
    server = discord.utils.oauth_url(
        application, permissions=PERMISSIONS, scopes=("bot", "applications.commands")
    )
    person = discord.utils.oauth_url(application, scopes=("applications.commands",))
    return f"{server}&integration_type=0", f"{person}&integration_type=1"
