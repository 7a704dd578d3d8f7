"""MKL and oneDNN by themselves: products with weights that were packed before, as a frozen layer can have them."""
import ctypes, glob, os, sys, time

import torch

ROW_MAJOR, NO_TRANS, TRANS, PACKED, B_MATRIX = 101, 111, 112, 151, 162


def fastest(work):
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def load_mkl():
    """The library of the wheel `mkl`, or None."""
    found = glob.glob(os.path.join(sys.prefix, "lib", "libmkl_rt.so*"))
    if not found:
        return None
    os.environ.setdefault("MKL_THREADING_LAYER", "INTEL")
    return ctypes.CDLL(found[0])


MKL = load_mkl()


class Mkl:
    """`cblas_sgemm_compute`, or `cblas_gemm_bf16bf16f32_compute`, whose result is f32; without bias."""

    def __init__(self, shape, dtype):
        rows, inputs, outputs = shape
        name = {torch.float32: "cblas_sgemm", torch.bfloat16: "cblas_gemm_bf16bf16f32"}[dtype]
        size, pack, self.compute = (getattr(MKL, name + part) for part in ("_pack_get_size", "_pack", "_compute"))
        size.restype = ctypes.c_size_t
        self.x, weight = torch.randn(rows, inputs).to(dtype), torch.randn(outputs, inputs).to(dtype)
        self.y = torch.empty(rows, outputs)
        self.weight = torch.empty(size(B_MATRIX, rows, outputs, inputs) + 64, dtype=torch.uint8)
        pointer = lambda tensor: ctypes.c_void_p(tensor.data_ptr())
        scale = [ctypes.c_float(1.0)] if dtype == torch.float32 else []
        pack(ROW_MAJOR, B_MATRIX, TRANS, rows, outputs, inputs, *scale, pointer(weight), inputs, pointer(self.weight))
        one = [] if dtype == torch.float32 else [ctypes.c_float(1.0)]
        self.arguments = [ROW_MAJOR, NO_TRANS, PACKED, rows, outputs, inputs, *one, pointer(self.x), inputs, pointer(self.weight), inputs,
                          ctypes.c_float(0.0), pointer(self.y), outputs]
        self.compute(*self.arguments)
        error = ((self.y - self.x.float() @ weight.float().T).norm() / self.y.norm()).item()
        assert error < 1e-2, f"{name} gives another product: {error}"

    @staticmethod
    def threads(count):
        MKL.MKL_Set_Num_Threads(count)

    def time(self):
        return fastest(lambda: self.compute(*self.arguments))


class OneDnn:
    """oneDNN's inner product as PyTorch ships it, with a bias and the weights in oneDNN's own order."""

    def __init__(self, shape, dtype):
        rows, inputs, outputs = shape
        self.x, weight, self.bias = (torch.randn(*size).to(dtype) for size in ((rows, inputs), (outputs, inputs), (outputs,)))
        self.weight = torch.ops.mkldnn._reorder_linear_weight(weight, rows)

    def time(self):
        with torch.inference_mode():
            return fastest(lambda: torch.ops.mkldnn._linear_pointwise(self.x, self.weight, self.bias, "none", [], ""))
