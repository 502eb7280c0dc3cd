"""Takes new settings over while the bot runs, where that is safe: on SIGHUP."""

import logging
from collections.abc import Callable
from dataclasses import fields, replace

from bot.client import Pooh
from bot.settings import VARIABLES, Settings, SettingsError
from model.wordlist import WordListError
from model.words import WordFilter

SAFE = frozenset(
    {"guilds", "cooldown", "burst", "word_filter", "words_refused", "words_allowed", "source"}
)

_log = logging.getLogger(__name__)


def reload(client: Pooh, read: Callable[[], Settings]) -> None:
    """Read the settings again; what needs a restart is named and stays as it is.

    Args:
        client: whose settings they are. Its filter is renewed whatever they say: the list of words
            may have changed.
        read: reads the settings.
    """
    old = client.services.settings
    try:
        new = read()
        fresh = WordFilter(
            active=new.word_filter, refused=new.words_refused, allowed=new.words_allowed
        )
    except (SettingsError, WordListError) as error:
        _log.error("the settings stay as they are: %s", error)
        return
    names = {field: variable for variable, (field, _) in VARIABLES.items()}
    changed = [f.name for f in fields(old) if getattr(old, f.name) != getattr(new, f.name)]
    for field in changed:
        if field not in SAFE:
            _log.warning("%s needs a restart", names[field])
    client.services.words.become(fresh)
    client.use_settings(replace(old, **{name: getattr(new, name) for name in SAFE}))
    taken = sorted(names[field] for field in changed if field in SAFE)
    _log.info("settings read again; changed: %s", ", ".join(taken) or "nothing")
