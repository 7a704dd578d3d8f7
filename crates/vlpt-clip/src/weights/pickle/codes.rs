//! Tables: PyTorch's storage classes, the classes that are dropped unseen, and the names of the
//! instructions that are refused.

use crate::weights::dtype::Dtype;

/// PyTorch's storage classes.
pub(super) fn storage_type(name: &str) -> Option<Dtype> {
    Some(match name {
        "FloatStorage" => Dtype::F32,
        "HalfStorage" => Dtype::F16,
        "BFloat16Storage" => Dtype::Bf16,
        "DoubleStorage" => Dtype::F64,
        "LongStorage" => Dtype::Other("i64", 8),
        "IntStorage" => Dtype::Other("i32", 4),
        "ShortStorage" => Dtype::Other("i16", 2),
        "CharStorage" => Dtype::Other("i8", 1),
        "ByteStorage" => Dtype::Other("u8", 1),
        "BoolStorage" => Dtype::Other("bool", 1),
        _ => return None,
    })
}

/// Whether a class or function is one that training programs save beside the weights: optimisers
/// and schedules with their dicts, and NumPy numbers. They are never looked up, let alone called:
/// what a pickle makes of them is dropped.
pub(super) fn inert(module: &str, name: &str) -> bool {
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match module {
        "collections" => name == "defaultdict",
        "__builtin__" | "builtins" => matches!(name, "dict" | "list" | "set"),
        "numpy.core.multiarray" | "numpy._core.multiarray" => name == "scalar",
        "numpy" => name == "dtype",
        "_codecs" => name == "encode",
        _ => plain && (module.starts_with("torch.optim.") || module.starts_with("dassl.optim.")),
    }
}

/// Name of a refused instruction.
pub(super) fn instruction(code: u8) -> String {
    let name = match code {
        b'0' => "POP",
        b'1' => "POP_MARK",
        b'2' => "DUP",
        b'F' => "FLOAT",
        b'I' => "INT",
        b'L' => "LONG",
        b'P' => "PERSID",
        b'S' => "STRING",
        b'V' => "UNICODE",
        b'd' => "DICT",
        b'g' => "GET",
        b'i' => "INST",
        b'l' => "LIST",
        b'o' => "OBJ",
        b'p' => "PUT",
        b'B' => "BINBYTES",
        b'C' => "SHORT_BINBYTES",
        0x82..=0x84 => "EXT",
        0x8b => "LONG4",
        0x8c => "SHORT_BINUNICODE",
        0x8d => "BINUNICODE8",
        0x8e => "BINBYTES8",
        0x8f => "EMPTY_SET",
        0x90 => "ADDITEMS",
        0x91 => "FROZENSET",
        0x92 => "NEWOBJ_EX",
        0x93 => "STACK_GLOBAL",
        0x94 => "MEMOIZE",
        0x95 => "FRAME",
        0x96 => "BYTEARRAY8",
        0x97 => "NEXT_BUFFER",
        0x98 => "READONLY_BUFFER",
        _ => return format!("{code:#04x}"),
    };
    name.to_owned()
}
