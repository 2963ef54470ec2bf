#!/bin/sh
# LiteRT's CompiledModel can take its input from an array of NumPy in place: `TensorBuffer.create_from_host_memory(array)`,
# whose documentation shows an array of shape (1, 4). One would guess that the buffer then has the array's shape. Its type is
# that of a flat list of 4 numbers, whatever the array's shape, so no network whose input has more than one dimension runs with
# it: none that takes an image, nor one that takes the shape of the example. LiteRT tries to give the network's input the shape of
# the buffer, and refuses. A buffer that `create_input_buffers` makes, filled by `write`, works with all of them.
# Exit status 0: still so. Needs python3 and PyPI; everything is in a temporary folder.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    "ai-edge-litert==2.3.0" "flatbuffers==25.12.19" "numpy==2.4.6"
"$folder/venv/bin/python" - 2> "$folder/log" <<'PYTHON' || { cat "$folder/log" >&2; exit 1; }
import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.compiled_model import CompiledModel
from ai_edge_litert.tensor_buffer import TensorBuffer


def network(shape):
    """Return a file of LiteRT: y = relu(x), for x of this shape."""
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.RELU
    code.version = 1
    graph, call, signature = schema.SubGraphT(), schema.OperatorT(), schema.SignatureDefT()
    graph.tensors, maps = [], []
    for index, name in enumerate(("x", "y")):
        tensor, entry = schema.TensorT(), schema.TensorMapT()
        tensor.name, tensor.shape, tensor.type, tensor.buffer = name, list(shape), schema.TensorType.FLOAT32, 0
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


def result(model, inputs):
    outputs = model.create_output_buffers(0)
    try:
        model.run_by_index(0, inputs, outputs)
    except RuntimeError as error:
        return str(error).splitlines()[-1].lstrip("└ ")
    return outputs[0].read(4, np.float32).tolist()


seen = {}
for shape in ((4,), (1, 4), (1, 2, 2, 1)):
    array = np.array([-1, 2, 3, 4], np.float32).reshape(shape)
    model = CompiledModel.from_buffer(network(shape))
    own = model.create_input_buffers(0)
    own[0].write(array)
    seen[shape] = result(model, own), result(model, [TensorBuffer.create_from_host_memory(array)])
    print(f"ai-edge-litert 2.3.0, an input of shape {shape}: written {seen[shape][0]}; host memory {seen[shape][1]}")
right = [0.0, 2.0, 3.0, 4.0]
if any(written != right for written, _ in seen.values()) or [in_place == right for _, in_place in seen.values()] != [
    True,
    False,
    False,
]:
    raise SystemExit("changed")
PYTHON
