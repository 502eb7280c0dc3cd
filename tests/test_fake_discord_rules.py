"""What the stand-in refuses, and the check against Discord's own description."""

import pytest

from tests.fake_discord import ApiError, Schemas, rules


def option(**more: object) -> dict[str, object]:
    return {"type": 3, "name": "prompt", "description": "What to say", **more}


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Pooh"},
        {"name": "p" * 33},
        {"name": "a b"},
        {"description": ""},
        {"description": "d" * 101},
        {"name_localizations": {"xx": "pooh"}},
        {"name_localizations": {"de": "Puh"}},
        {"options": [option(name="x" * 33)]},
        {"options": [option(), option(name="length", required=True)]},
        {"options": [option(name=f"o{i}") for i in range(26)]},
        {"options": [option(autocomplete=True, choices=[{"name": "a", "value": "a"}])]},
        {"options": [option(choices=[{"name": "a" * 101, "value": "a"}])]},
        {"options": [option(name=f"o{i}", description="d" * 100,
                            choices=[{"name": "n" * 100, "value": "v" * 100}] * 3)
                     for i in range(12)]},
        {"type": 3, "options": [option()]},
        {"contexts": []},
    ],
)  # fmt: skip
def test_bad_commands_are_refused(wrong: dict[str, object]) -> None:
    good = {"type": 1, "name": "pooh", "description": "Writes", "options": [option()]}
    rules.check_commands([good])
    with pytest.raises(ApiError) as refused:
        rules.check_commands([{**good, **wrong}])
    assert refused.value.code == 50035
    with pytest.raises(ApiError):
        rules.check_commands([good, good])


@pytest.mark.parametrize(
    "wrong",
    [
        [{"type": 2, "style": 1, "custom_id": "a", "label": "A"}],
        [{"type": 1, "components": []}],
        [{"type": 1, "components": [{"type": 2, "style": 1, "custom_id": "a"}]}],
        [{"type": 1, "components": [{"type": 2, "style": 1, "label": "A"}]}],
        [{"type": 1, "components": [{"type": 2, "style": 5, "label": "A"}]}],
        [{"type": 1, "components": [{"type": 2, "style": 9, "label": "A", "custom_id": "a"}]}],
        [{"type": 1, "components": [{"type": 2, "style": 1, "label": "A", "custom_id": "a"}] * 2}],
        [{"type": 1, "components": [{"type": 2, "style": 1, "label": "A" * 81, "custom_id": "a"}]}],
        [{"type": 1, "components": [{"type": 2, "style": 1, "label": "A", "custom_id": str(i)}
                                    for i in range(6)]}],
        [{"type": 1, "components": [{"type": 2, "style": 1, "label": "A", "custom_id": str(i)}]}
         for i in range(6)],
    ],
)  # fmt: skip
def test_bad_components_are_refused(wrong: list[dict[str, object]]) -> None:
    with pytest.raises(ApiError) as refused:
        rules.check_message({"content": "x", "components": wrong}, 0)
    assert refused.value.code == 50035


def test_texts_of_components_v2_count_together_and_exclude_content() -> None:
    text = {"type": 10, "content": "x" * 2001}
    flags = rules.COMPONENTS_V2
    rules.check_message({"components": [text], "flags": flags}, 0)
    for wrong in ({"components": [text, text]}, {"components": [text], "content": "x"}):
        with pytest.raises(ApiError):
            rules.check_message({**wrong, "flags": flags}, 0)


def test_allowed_mentions_decide_who_is_pinged() -> None:
    text = "@everyone @here <@1> <@!2> <@&3>"
    assert rules.pinged(text, None, interaction=True) == ["1", "2"]
    assert rules.pinged(text, None, interaction=False) == ["@everyone", "@here", "1", "2", "3"]
    assert rules.pinged(text, {"parse": []}, interaction=False) == []
    assert rules.pinged(text, {"users": ["2"], "roles": [3]}, interaction=False) == ["2", "3"]
    for wrong in ({"parse": ["all"]}, {"parse": ["users"], "users": ["1"]}):
        with pytest.raises(ApiError):
            rules.check_mentions(wrong)


def test_a_body_is_checked_against_discords_description(schemas: Schemas | None) -> None:
    if schemas is None:
        pytest.skip("Discord's OpenAPI description is not at hand (DISCORD_OPENAPI)")
    route = "/interactions/{interaction_id}/{interaction_token}/callback"
    assert schemas.violations("POST", route, {"type": 4, "data": {"content": "x"}}) == []
    (wrong,) = schemas.violations("POST", route, {"type": 4, "data": {"content": "x" * 2001}})
    assert "$.data.content" in wrong and "too long" in wrong
    assert schemas.violations("POST", route, None) and schemas.violations("GET", "/nowhere", None)
    assert schemas.violations("GET", "/users/@me", {"x": 1})
