"""YAML into a configuration: what is refused, and with which words."""

import json
from pathlib import Path

import pytest

from training.cli import main
from training.config import Config
from training.config_file import load_config, parse_config, preset_names
from training.errors import ConfigError


def _load(tmp_path: Path, text: str, *overrides: str) -> Config:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return load_config(str(path), overrides)


def test_defaults_and_name_from_the_file(tmp_path: Path) -> None:
    assert _load(tmp_path, "") == Config(run_name="mine")


def test_round_trip_through_plain_values_and_json() -> None:
    config = load_config("run4", ["data.noise=0.5", "output_init_bias=train_mean"])
    assert parse_config(json.loads(json.dumps(config.to_dict()))) == config


def test_values_are_read_with_their_types(tmp_path: Path) -> None:
    config = _load(
        tmp_path, "learning_rate: 5e-4\nbatch_size: 7\nvariance_lambda: null\noptimizer: AdamW\nhuber_delta: 2"
    )
    assert config.learning_rate == 0.0005
    assert config.batch_size == 7
    assert config.variance_lambda is None
    assert config.optimizer == "adamw"
    assert isinstance(config.huber_delta, float)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("warmup_step: 3", "unknown key 'warmup_step'; did you mean 'warmup_steps'?"),
        ("data: {nois: 1}", "unknown key 'data.nois'; did you mean 'data.noise'?"),
        ("lr: 1", "unknown key 'lr'; did you mean 'learning_rate'?"),
        ("noise: 1", "unknown key 'noise'; did you mean 'balanced_mse_noise' or 'data.noise'?"),
        ("xyzzy: 1", "unknown key 'xyzzy'; docs/training.md lists what there is"),
        ("batch_size: 2.5", "batch_size: found float 2.5; expected a whole number"),
        ("batch_size: true", "batch_size: found bool True; expected a whole number"),
        ("batch_size: 0", "batch_size: found 0; expected at least 1"),
        ("learning_rate: 0", "learning_rate: found 0.0; expected above 0.0 and at most 10.0"),
        ("learning_rate: .nan", "learning_rate: found nan"),
        ("learning_rate: fast", "learning_rate: found str 'fast'; expected a number"),
        ("gradient_clip: [1]", "gradient_clip: found list [1]; expected a number or null"),
        ("early_stopping: val_los", "early_stopping: found 'val_los'; did you mean 'val_loss'?"),
        ("early_stopping: r3", "early_stopping: found 'r3'; expected one of val_loss, r2"),
        ("output_init_bias: mean", "output_init_bias: found str 'mean'; expected a number or train_mean"),
        ("temporal_frames: 10", "temporal_frames: found 10; expected at least 1 and at most 9"),
        ("data: 3", "data: found int 3; expected keys and values"),
        ("- 1", "found list [1]; expected keys and values"),
        ("loss: huber\nloss: mse", "line 2 key 'loss' given twice"),
        ("loss: [", "line 1"),
        ("run_name: a/b", "run_name: found 'a/b'"),
        ("overweight_factor: 2.0", "overweight_flight: found None; expected one of flight_a"),
        ("pretraining: ssl", "pretraining: found 'ssl'; expected one of none, masked, broken_ssl"),
        ("data: {kind: pickle}", "data.kind: found 'pickle'; expected one of flights, diabetes, npz, hdf5, table"),
    ],
)
def test_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _load(tmp_path, text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_overrides_are_typed_and_checked(tmp_path: Path) -> None:
    config = _load(tmp_path, "data: {noise: 3.0}", "data.noise=0.5", "run_name=other", "variance_lambda=2")
    assert (config.data.noise, config.run_name, config.variance_lambda) == (0.5, "other", 2.0)
    with pytest.raises(ConfigError, match="expected key=value"):
        _load(tmp_path, "", "seed")
    with pytest.raises(ConfigError, match="holds a value"):
        _load(tmp_path, "", "seed.x=1", "seed=3", "seed.x=1")


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (["learning_rate=fast"], "--set: learning_rate: found str 'fast'; expected a number"),
        (["learning_rat=1"], "--set: unknown key 'learning_rat'; did you mean 'learning_rate'?"),
        (["data.noise=-1"], "--set: data.noise: found -1.0; expected at least 0.0 and at most 100.0"),
        (["data={noise: -1}"], "--set: data.noise: found -1.0; expected at least 0.0 and at most 100.0"),
        (["data=3"], "--set: data: found int 3; expected keys and values"),
        (["seed=3", "overweight_factor=2"], "run4 with --set seed overweight_factor: overweight_flight: found None"),
    ],
)
def test_a_mistake_on_the_command_line_is_not_the_files(overrides: list[str], line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config("run4", overrides)
    assert str(caught.value).startswith(line)


def test_a_mistake_in_the_file_is_not_the_command_lines(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"mine\.yaml: batch_size: found 0; expected at least 1"):
        _load(tmp_path, "batch_size: 0", "learning_rate=0.1")


def test_unknown_preset_suggests(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "helthy"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "error: helthy: neither a .yaml file nor a preset; did you mean 'healthy'?\n"


def test_missing_file_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "nowhere.yaml"]) == 2
    assert capsys.readouterr().err == "error: nowhere.yaml: no such file\n"


def test_every_preset_loads_and_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert set(preset_names()) >= {"run1", "run2", "run3", "run4", "run5a", "run5b", "run5c", "healthy", "diabetes"}
    for name in preset_names():
        assert load_config(name).run_name == name
    assert main(["presets"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in listed if line.startswith("run ")] == list(preset_names())
    assert all(len(line.split()) > 5 for line in listed)


def test_presets_follow_the_published_configurations() -> None:
    """Figures from the published config blocks of runs 1 to 4."""
    published = {
        "run1": (0.5, 0.1, 0.0, 7, 2.0, "val_loss"),
        "run2": (0.01, 0.9, 0.0, 7, 1.5, "val_loss"),
        "run3": (0.1, 0.0, 0.0, 7, 1.5, "val_loss"),
        "run4": (0.5, 0.0, 0.5, 3, 1.0, "r2"),
    }
    for name, expected in published.items():
        c = load_config(name)
        assert (
            c.output_init_std,
            c.output_init_bias,
            c.penalty_weight,
            c.temporal_frames,
            c.overweight_factor,
            c.early_stopping,
        ) == expected
        assert (c.patience, c.min_delta, c.max_epochs, c.learning_rate, c.weight_decay, c.batch_size, c.optimizer) == (
            10,
            0.0005,
            50,
            0.0005,
            0.04,
            20,
            "adamw",
        )
        assert c.warmup_unit == "epoch"
    assert load_config("healthy").warmup_unit == "step"


def _changed(name: str, base: str) -> dict[str, object]:
    """The settings of one preset that are not those of the other."""
    one, other = load_config(name).to_dict(), load_config(base).to_dict()
    return {key: value for key, value in one.items() if value != other[key] and key != "run_name"}


def test_experiments_5a_to_5c_change_what_the_source_proposes() -> None:
    """The figures are those of the source's "Immediate Next Steps"."""
    assert _changed("run5a", "run4") == {"variance_lambda": 2.0}
    assert (load_config("run5a").temporal_frames, load_config("run5a").overweight_factor) == (3, 1.0)
    assert _changed("run5b", "run1") == {"variance_lambda": 2.0, "overweight_factor": 1.5}
    assert load_config("run5b").temporal_frames == 7
    assert _changed("run5c", "run4") == {"early_stopping": "floor", "ratio_floor": 0.4}
    assert load_config("run1").pretraining == load_config("run5b").pretraining == "broken_ssl"


def test_every_setting_is_documented_with_its_default() -> None:
    text = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
    rows = {
        line.split("|")[1].strip(): line.split("|")[2].strip() for line in text.splitlines() if line.startswith("| `")
    }
    flat: dict[str, object] = {}
    for key, value in Config().to_dict().items():
        flat |= {f"data.{name}": item for name, item in value.items()} if key == "data" else {key: value}
    # As YAML writes them: null, true, false, 0.5.
    expected = {f"`{key}`": item if isinstance(item, str) else json.dumps(item) for key, item in flat.items()}
    assert {name: default for name, default in rows.items() if name in expected} == expected
