#!/bin/sh
# An input of a fixed shape in a LiteRT network takes only arrays of that shape, one would guess: `set_tensor` refuses others,
# and `resize_tensor_input(strict=True)` refuses to change it. The runner of a signature resizes it, without being strict, to
# whatever it is given, and computes, where the operators can. The interpreter keeps the new shape: its details, which said
# (1, 4), then say (3, 4), and its `set_tensor` refuses the shape for which the network was made. A network that averages over
# an image thus answers for an image of any size, and nothing says that it was the wrong one.
# Exit status 0: still so. Needs python3 and PyPI; everything is in a temporary folder.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    "ai-edge-litert==2.1.0" "flatbuffers==25.12.19" "numpy==2.4.6"
"$folder/venv/bin/python" - 2> "$folder/log" <<'PYTHON' || { cat "$folder/log" >&2; exit 1; }
import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter


def network(shape):
    """Return a file of LiteRT: y = relu(x), for x of this shape."""
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.RELU
    code.version = 1
    graph, call, signature = schema.SubGraphT(), schema.OperatorT(), schema.SignatureDefT()
    graph.tensors, maps = [], []
    for index, name in enumerate(("x", "y")):
        tensor, entry = schema.TensorT(), schema.TensorMapT()
        tensor.name, tensor.type, tensor.buffer = name, schema.TensorType.FLOAT32, 0
        tensor.shape = tensor.shapeSignature = list(shape)
        entry.name, entry.tensorIndex = name, index
        graph.tensors.append(tensor)
        maps.append([entry])
    call.inputs = graph.inputs = [0]
    call.outputs = graph.outputs = [1]
    graph.operators = [call]
    signature.signatureKey, signature.inputs, signature.outputs = "serving_default", *maps
    model = schema.ModelT()
    model.version, model.operatorCodes, model.subgraphs = 3, [code], [graph]
    model.buffers, model.signatureDefs = [schema.BufferT()], [signature]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def attempt(call, *arguments, **options):
    try:
        found = call(*arguments, **options)
    except (RuntimeError, ValueError) as error:
        return f"refused ({str(error).splitlines()[0].strip()[:60]}...)"
    return "taken" if found is None else found


interpreter = Interpreter(model_content=network((1, 4)))
interpreter.allocate_tensors()
(made,) = interpreter.get_input_details()
one, three = np.ones((1, 4), np.float32), np.full((3, 4), 7, np.float32)
seen = {
    "set_tensor of (3, 4)": attempt(interpreter.set_tensor, made["index"], three),
    "a strict resize to (3, 4)": attempt(interpreter.resize_tensor_input, made["index"], (3, 4), strict=True),
}
answer = attempt(interpreter.get_signature_runner(), x=three)["y"]
seen["the runner with (3, 4)"] = f"an answer of shape {answer.shape}"
(kept,) = interpreter.get_input_details()
seen["set_tensor of (1, 4) afterwards"] = attempt(interpreter.set_tensor, made["index"], one)
print(f"ai-edge-litert 2.1.0, an input of {tuple(map(int, made['shape']))}, signature {made['shape_signature'].tolist()}:")
for what, outcome in seen.items():
    print(f"{what}: {outcome}")
print(f"the input's shape afterwards: {tuple(map(int, kept['shape']))}, signature {kept['shape_signature'].tolist()}")
refused = [outcome.startswith("refused") for outcome in seen.values()]
if refused != [True, True, False, True] or kept["shape"].tolist() != [3, 4] or not np.array_equal(answer, three):
    raise SystemExit("changed")
PYTHON
