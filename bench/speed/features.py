"""Computing features: LiteRT as PicTrace uses it, compared with Keras and other engines on the same network."""

import os
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.speed.report import Floor, Part
from bench.speed.timing import Way, side_by_side
from layers.models.networks import NETWORKS
from layers.models.suppress_output import suppress_output
from shared.domain.model_card import MODEL_FILE
from shared.vision.decode.decoders import decode_in_process
from shared.vision.embedding import SIDE, Embedder
from shared.vision.pixels import Pixels
from shared.vision.resizing import resize_square

OURS: Final = "ours: LiteRT, as the functions run it"
IN_A_ROW: Final = 4
KERAS_TIMES: Final = 4.0
OF_THE_FASTEST: Final = 1.15

_CORES: Final = os.cpu_count() or 1
_THREADS: Final = sorted({1, _CORES})


def _named(threads: int) -> str:
    return "one thread" if threads == 1 else f"{threads} threads"


PREDICT: Final = f"Keras `model.predict` one by one, {_named(_CORES)}"
GRAPH: Final = f"TensorFlow `tf.function`, {_named(_CORES)}"


def measure(model_dir: Path, images: list[bytes], rounds: int, *, others: bool = True) -> Part:
    """Let every engine compute the features of the same 224 x 224 images, one by one.

    Args:
        others: whether to include engines that have to be installed or take seconds to start.
    """
    squares = [resize_square(decode_in_process(data).rgb, SIDE) for data in images]
    embedder = Embedder(model_dir)
    ways: dict[str, Way] = {OURS: embedder.embed}
    for threads in _THREADS:
        ways[f"ours: LiteRT, {_named(threads)}"] = Embedder(model_dir, threads=threads).embed
    if others:
        ways |= dict(_keras(embedder.model_id))
        with tempfile.TemporaryDirectory() as folder:
            ways |= dict(_onnx_runtime(model_dir / MODEL_FILE, Path(folder)))
        ways |= dict(_openvino(model_dir / MODEL_FILE))
    taken = side_by_side(ways, squares, rounds=rounds, in_a_row=IN_A_ROW)
    return Part(
        "Features of one image",
        ("engine", "ms", "times ours"),
        [(name, f"{ms:.1f}", f"{ms / taken[OURS]:.2f}") for name, ms in taken.items()],
        list(_floors(taken)) if others else (),
        (
            f"All run the network of {embedder.model_id} in float32 on 224 x 224 pixels, our preparation of the pixels "
            "included. TensorFlow's weights are those before the export's rounding to f16, which changes no time.",
        ),
        {"inference_ms": taken[OURS], "inference_one_thread_ms": taken["ours: LiteRT, one thread"]},
    )


def _floors(taken: dict[str, float]) -> Iterator[Floor]:
    predict = taken[PREDICT] / taken[f"ours: LiteRT, {_named(_CORES)}"]
    yield Floor(
        f"features against Keras predict, {_named(_CORES)}",
        f"at least {KERAS_TIMES:g} times",
        f"{predict:.1f}",
        predict >= KERAS_TIMES,
    )
    for threads in _THREADS:
        engines = {name: ms for name, ms in taken.items() if name.endswith(_named(threads))}
        fastest = min(engines, key=lambda name: engines[name])
        ratio = engines[f"ours: LiteRT, {_named(threads)}"] / engines[fastest]
        yield Floor(
            f"features against the fastest float engine, {_named(threads)}",
            f"at most {OF_THE_FASTEST}",
            f"{ratio:.2f} ({fastest.split(',')[0]})",
            ratio <= OF_THE_FASTEST,
        )


def _keras(model_id: str) -> Iterator[tuple[str, Way]]:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    with suppress_output():
        import tensorflow as tf

        network = next(each for each in NETWORKS.values() if model_id.startswith(f"{each.name}-"))
        model = network.build(network.fetch().path)
        compiled = tf.function(model, jit_compile=False)

    def predict(square: Pixels) -> object:
        return model.predict(square[np.newaxis], verbose=0)

    def graph(square: Pixels) -> object:
        return compiled(tf.constant(square[np.newaxis]))["features"].numpy()

    yield PREDICT, predict
    yield GRAPH, graph


def _onnx_runtime(network: Path, folder: Path) -> Iterator[tuple[str, Way]]:
    if not find_spec("onnxruntime") or not find_spec("tf2onnx"):
        return
    import onnxruntime
    from tf2onnx import convert

    converted = folder / "model.onnx"
    with suppress_output():
        convert.from_tflite(str(network), opset=17, output_path=str(converted))
    for threads in _THREADS:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(str(converted), options, providers=["CPUExecutionProvider"])
        name, output = session.get_inputs()[0].name, session.get_outputs()[0].name

        def run(square: Pixels, session: Any = session, name: str = name, output: str = output) -> object:
            return session.run([output], {name: square[np.newaxis]})

        yield f"ONNX Runtime, {_named(threads)}", run


def _openvino(network: Path) -> Iterator[tuple[str, Way]]:
    if not find_spec("openvino"):
        return
    import openvino

    core = openvino.Core()
    for threads in _THREADS:
        compiled = core.compile_model(
            core.read_model(network),
            "CPU",
            {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"},
        )

        def run(square: Pixels, compiled: Any = compiled) -> object:
            return compiled(square[np.newaxis])

        yield f"OpenVINO, {_named(threads)}", run
