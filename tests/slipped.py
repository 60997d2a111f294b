"""Random models, their runs and training steps, and arrays as a person would save them."""
import re
from typing import Any

import numpy as np

from attntrace.model.config import Config
from attntrace.model.masks import Masks
from attntrace.model.parameters import allocate, specs
from attntrace.runs.prepare import prepare
from attntrace.runs.run import Run
from attntrace.runs.slips import steps_of
from attntrace.runs.training_step import TrainingStep, prepare_training_step

SOURCE, TARGET = "a b c a", "d e d"


def random_config(rng: np.random.Generator) -> Config:
    heads = int(rng.integers(1, 4))
    return Config(heads=heads, d_model=heads * 2 * int(rng.integers(1, 3)), d_ff=int(rng.integers(2, 8)),
                  layers=int(rng.integers(1, 3)), norm=str(rng.choice(["post", "post", "pre"])),
                  final_norm=bool(rng.integers(2)), scale_embedding=bool(rng.integers(3)),
                  activation=str(rng.choice(["relu", "relu", "gelu", "silu"])),
                  norm_variance=str(rng.choice(["population", "population", "sample"])),
                  norm_epsilon=str(rng.choice(["inside", "inside", "outside"])),
                  position=str(rng.choice(["interleaved", "interleaved", "halves"])))


def with_random_parameters(run: Run, rng: np.random.Generator) -> Run:
    """With all biases, none of them 0, and gains that are not 1."""
    wanted = [*specs(run.config, run.vocabularies)]

    def fill(spec: Any, view: np.ndarray) -> None:
        is_gain = spec.name.endswith("gain")
        view[...] = rng.standard_normal(view.shape) * (0.4 if view.ndim == 1 else 0.8) + is_gain

    return run._replace(parameters=allocate(wanted, run.config.dtype, fill))


def random_run(seed: int, **config: Any) -> Run:
    rng = np.random.default_rng(seed)
    run = prepare(SOURCE, TARGET if seed % 4 else None, config=random_config(rng).replace(**config))
    run = with_random_parameters(run, rng)
    return run._replace(masks=Masks((3,))) if seed % 3 == 0 else run  # the last word of the source is padding


def random_training_step(seed: int, **config: Any) -> TrainingStep:
    rng = np.random.default_rng(seed)
    step = prepare_training_step(SOURCE, TARGET, optimizer=("adam", "sgd")[seed % 2], smoothing=(0.1, 0.0)[seed % 2],
                                 config=random_config(rng).replace(**config))
    return step._replace(run=with_random_parameters(step.run, rng))


def arrays_of(subject: Any) -> dict[str, np.ndarray]:
    return {address: step.value for address, step in steps_of(subject).items()}


def as_saved(arrays: dict[str, np.ndarray], heads: int) -> dict[str, np.ndarray]:
    """The heads of each attention in one array, and an axis of 1 for a batch, as programs have them."""
    saved: dict[str, np.ndarray] = {}
    for address, value in arrays.items():
        whole = re.sub(r"\.head\d", "", address)
        if whole == address or whole in arrays:  # where the output of a head has the name of the attention's
            saved[address] = value[None]
        elif ".head1." in address:
            each = [arrays[address.replace(".head1.", f".head{n}.")] for n in range(1, heads + 1)]
            saved[whole] = np.stack(each)[None]
    return saved
