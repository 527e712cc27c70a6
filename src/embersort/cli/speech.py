"""``embersort speech``: voices mixed, separated, scored, and the network trained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from embersort.cli.terminal import Overwrite, Progress, Quiet, format_table, logging_to

if TYPE_CHECKING:
    from embersort.speech.mixtures import VoiceBank
    from embersort.speech.voices import Part
    from embersort.speech.weights import TrainedNetwork

app = typer.Typer(add_completion=False, no_args_is_help=True)

Weights = Annotated[
    Path | None, typer.Option(help="Weight file of your own training; default: those shipped.")
]
Voices = Annotated[
    Path,
    typer.Argument(
        help="Folder of voices: a sub-folder per speaker, or index.csv (file, speaker)."
    ),
]
Seed = Annotated[int, typer.Option(help="Seed of everything that is drawn.")]


@app.command()
def separate(
    mixture: Annotated[Path, typer.Argument(help="wav or FLAC, any rate and channel count.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the result.")],
    speakers: Annotated[
        int | None, typer.Option(help="Number of speakers (1 to 5); counted if not given.")
    ] = None,
    mask: Annotated[
        Literal["soft", "binary"], typer.Option(help="Shares of a bin, or all to the nearest.")
    ] = "soft",
    references: Annotated[
        Path | None, typer.Option(help="Folder with reference_N.wav: adds scores, ideal masks.")
    ] = None,
    weights: Weights = None,
    overwrite: Overwrite = False,
) -> None:
    """Separate the voices of a mixture: one wav per speaker, and a picture."""
    from embersort.output.folder import check_new_folder
    from embersort.speech import folders
    from embersort.speech.audio import read_audio
    from embersort.speech.scores import score_separation
    from embersort.speech.separate import SeparateConfig
    from embersort.speech.separate import separate as separate_signal

    check_new_folder(out, overwrite=overwrite, marker=folders.SEPARATION_FILE)
    config = SeparateConfig.parse({"n_speakers": speakers, "mask": mask}, "--speakers")
    trained = _load(weights)
    rate_hz = trained.spectrogram.sampling_rate_hz
    signal = read_audio(mixture, rate_hz)
    truth = None if references is None else folders.read_references(references, rate_hz)
    separation = separate_signal(signal, trained.network, config, trained.spectrogram)
    scores = None
    if truth is not None and len(truth) == len(separation.estimates):
        scores = score_separation(truth, separation.estimates, signal)
    picture = folders.draw_separation(
        mixture.name, signal, separation, trained, config, truth, scores
    )
    facts = folders.facts_of(separation, config, scores)
    folders.write_separation(separation, picture, facts, rate_hz, out, overwrite=overwrite)
    typer.echo(f"{len(separation.estimates)} speakers in {out}; see {out / folders.PICTURE_FILE}")
    if scores is not None:
        typer.echo(f"SI-SDR gain {scores.si_sdr_improvement_db:.2f} dB over the mixture")


@app.command()
def mix(
    voices: Annotated[list[Path], typer.Argument(help="Two or more sound files, one voice each.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for mixture and references.")],
    level_db: Annotated[
        list[float] | None,
        typer.Option(help="Level of each voice relative to full scale − 20 dB; repeat per voice."),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Mix voices at known levels, cut to the shortest: mixture.wav and reference_N.wav."""
    from embersort.speech.audio import read_audio
    from embersort.speech.folders import MIXTURE_FILE, write_mixture
    from embersort.speech.mixtures import mix_signals
    from embersort.speech.spectrogram import DEFAULT_SPECTROGRAM

    rate_hz = DEFAULT_SPECTROGRAM.sampling_rate_hz
    signals = [read_audio(path, rate_hz) for path in voices]
    levels_db = level_db or [0.0] * len(voices)
    mixture = mix_signals(signals, levels_db, [path.stem for path in voices])
    write_mixture(mixture, rate_hz, out, overwrite=overwrite)
    typer.echo(f"{len(voices)} voices in {out / MIXTURE_FILE}")


@app.command()
def evaluate(
    voices: Voices,
    speakers: Annotated[int, typer.Option(help="Speakers in each mixture (2 to 5).")] = 2,
    mixtures: Annotated[int, typer.Option(help="Number of mixtures.")] = 50,
    duration: Annotated[float, typer.Option(help="Length of a mixture in seconds.")] = 6.0,
    part: Annotated[
        Literal["test", "validate", "train"], typer.Option(help="Which speakers.")
    ] = "test",
    seed: Seed = 2026,
    weights: Weights = None,
    quiet: Quiet = False,
) -> None:
    """Score separation on mixtures of speakers that were held out of the training."""
    from embersort.speech.evaluate import EvaluateConfig, summary_table
    from embersort.speech.evaluate import evaluate as evaluate_mixtures
    from embersort.speech.separate import SeparateConfig

    config = EvaluateConfig.parse(
        {
            "n_mixtures": mixtures,
            "mixture": {"n_speakers": speakers, "duration_s": duration},
            "seed": seed,
        },
        "evaluate",
    )
    trained = _load(weights)
    methods = {
        "binary masks": SeparateConfig(n_speakers=speakers, mask="binary"),
        "soft masks": SeparateConfig(n_speakers=speakers),
        "soft masks, counted": SeparateConfig(),
    }
    bank = _bank(voices, part, trained.spectrogram.sampling_rate_hz)
    with Progress(quiet=quiet) as progress:
        rows = evaluate_mixtures(bank, trained, config, methods, progress)
    before = [row.mixture_si_sdr_db for row in rows if row.method == "oracle"]
    typer.echo(
        f"{mixtures} mixtures of {speakers} of {len(bank)} '{part}' speakers, {duration:g} s, "
        f"0 to {config.mixture.level_db:g} dB; SI-SDR of the mixture "
        f"{sum(before) / len(before):.2f} dB"
    )
    typer.echo(format_table(summary_table(rows), numbers=True))


@app.command()
def train(
    voices: Voices,
    out: Annotated[
        Path, typer.Option("-o", "--out", help="Folder; a stopped training there goes on.")
    ],
    recipe: Annotated[
        Path | None, typer.Option(help="TOML file with settings; default: the shipped recipe.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="section.key=value; may be repeated.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Train the network on mixtures of voices; writes voices.safetensors and the curves."""
    from embersort.config import read_toml, with_overrides
    from embersort.errors import MissingDependency

    try:
        from embersort.speech import training
    except ImportError as error:
        raise MissingDependency(
            f"training needs PyTorch ({error}); install it with: pip install 'embersort[train]'"
        ) from None

    # Settings are put into the whole recipe: a section that is given in part would lose the rest.
    shipped = training.SpeechTrainConfig().model_dump(mode="json")
    values = with_overrides(read_toml(recipe) if recipe else shipped, settings or [])
    config = training.SpeechTrainConfig.parse(values, str(recipe or "--set"))
    rate_hz = config.spectrogram.sampling_rate_hz
    bank, held_out = _bank(voices, "train", rate_hz), _bank(voices, "validate", rate_hz)
    with logging_to(verbose=not quiet, quiet=quiet):
        path = training.train_network(bank, held_out, config, out)
    typer.echo(f"weights in {path}")


def _load(weights: Path | None) -> TrainedNetwork:
    """Read the weights that were asked for, or those shipped."""
    from embersort.speech.weights import load_shipped, load_weights

    return load_shipped() if weights is None else load_weights(weights)


def _bank(folder: Path, part: Part, sampling_rate_hz: int) -> VoiceBank:
    """Read the voices of one part of the speakers."""
    from embersort.speech.mixtures import read_bank
    from embersort.speech.voices import find_voices, voices_of

    return read_bank(voices_of(find_voices(folder), part), sampling_rate_hz)
