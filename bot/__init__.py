"""The bot: from weights to Discord."""
