"""KServe's model server with a model that doubles each number: ``tensors.py PORT``.

It speaks the V2 inference protocol, binary tensors included (the Binary Tensor Data Extension).
"""

import sys

from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer


class Double(Model):
    """Answers each tensor with one of its shape, as binary."""

    def __init__(self) -> None:
        super().__init__("double")
        self.ready = True

    async def predict(self, payload: InferRequest, *_, **__) -> InferResponse:
        outputs = []
        for given in payload.inputs:
            doubled = given.as_numpy() * 2
            output = InferOutput(f"{given.name}-doubled", list(doubled.shape), given.datatype)
            output.set_data_from_numpy(doubled, binary_data=True)
            outputs.append(output)
        return InferResponse(payload.id, self.name, outputs, use_binary_outputs=True)


if __name__ == "__main__":
    ModelServer(http_port=int(sys.argv[1]), enable_grpc=False, workers=1).start([Double()])
