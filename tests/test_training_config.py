"""What a training can be told: in groups, by name, in JSON, and nothing out of range."""

import json

import pytest

from tests.test_training import SMALL, TABLE
from training.config import PRESETS, TrainingConfig, all_fields, plain_name


def test_a_config_goes_to_json_and_back() -> None:
    for config in (SMALL, TABLE, *PRESETS.values()):
        assert TrainingConfig.from_json(config.to_json()) == config
        assert isinstance(json.loads(config.to_json()), dict)


def test_a_config_of_the_days_before_its_groups_is_read() -> None:
    for config in (SMALL, TABLE, *PRESETS.values()):
        names = {"matrix_lr": "matrix_rate", "vector_lr": "vector_rate", "table_lr": "table_rate"}
        flat = {names.get(name, name): value for name, value in config.flat().items()}
        assert TrainingConfig.from_json(json.dumps(flat)) == config
        without = {**flat}
        without.pop("embedding_skips")  # it is younger
        assert TrainingConfig.from_json(json.dumps(without)) == config.replace(
            embedding_skips=False
        )
        del flat["seed"]
        with pytest.raises(ValueError, match="seed: missing"):
            TrainingConfig.from_json(json.dumps(flat))
        with pytest.raises(ValueError, match="sead: unknown"):
            TrainingConfig.from_json(json.dumps(flat | {"seed": 1, "sead": 1}))


def test_no_two_groups_have_a_field_of_one_name() -> None:
    names = [field.name for _, field in all_fields()]
    assert len(names) == len(set(names)) == len(SMALL.flat())
    with pytest.raises(TypeError, match="sead"):
        SMALL.replace(sead=1)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("batch_size", 0),
        ("context_length", -1),
        ("dropout", 1.0),
        ("validation_fraction", 0.95),
        ("device", "abacus"),
        ("dtype", "float8"),
        ("keep", "some"),
        ("name", ""),
        ("name", "a/b"),
        ("name", ".."),
        ("name", "a b"),
        ("name", "a:b"),  # on Windows a hidden stream of the file a
        ("name", "Con"),
        ("name", "nul.old"),
        ("name", "a."),
        ("name", "é" * 101),
        ("voice", ()),
        ("ngram_orders", (0,)),
        ("matrix_lr", float("nan")),
        ("matrix_lr", float("inf")),
        ("table_lr", 1e38),
        ("weight_decay", float("inf")),
        ("voice", (1.0, float("inf"))),
        ("openings", float("inf")),
        ("epochs", float("inf")),
        ("steps", 10**20),
        ("epochs", -1.0),
    ],
)
def test_a_field_out_of_range_is_named(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        SMALL.replace(**{field: value})


def test_a_name_is_made_of_any_text() -> None:
    for text, name in (("My book", "My-book"), ("a: b?", "a-b-"), ("é" * 300, "é" * 100)):
        assert plain_name(text) == name == SMALL.replace(name=name).run.name
    for text in (".", "..", "", "..."):
        assert plain_name(text) == ""
