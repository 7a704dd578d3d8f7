//! Tensors of the graphs: weights in a file, and what flows along the edges when a graph is run.

/// Row-major numbers of one type.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names are those of the types")]
pub enum Data {
    F32(Vec<f32>),
    F64(Vec<f64>),
    I64(Vec<i64>),
    I32(Vec<i32>),
    U8(Vec<u8>),
    Bool(Vec<bool>),
}

/// The types of ONNX that the graphs use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the types")]
pub enum Type {
    F32,
    F64,
    I64,
    I32,
    U8,
    Bool,
}

/// A tensor: its shape, outermost dimension first, and its numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// Length of each dimension; empty for a scalar.
    pub shape: Vec<usize>,
    /// `shape.iter().product()` numbers.
    pub data: Data,
}

impl Type {
    /// Its number in `TensorProto.DataType`.
    pub(crate) fn code(self) -> i64 {
        match self {
            Self::F32 => 1,
            Self::U8 => 2,
            Self::I32 => 6,
            Self::I64 => 7,
            Self::Bool => 9,
            Self::F64 => 11,
        }
    }

    /// The type of that number, where the graphs use it.
    pub(crate) fn of_code(code: i64) -> Option<Self> {
        [
            Self::F32,
            Self::U8,
            Self::I32,
            Self::I64,
            Self::Bool,
            Self::F64,
        ]
        .into_iter()
        .find(|kind| kind.code() == code)
    }

    /// Bytes of a number.
    fn size(self) -> usize {
        match self {
            Self::U8 | Self::Bool => 1,
            Self::F32 | Self::I32 => 4,
            Self::I64 | Self::F64 => 8,
        }
    }
}

impl Data {
    /// The type of the numbers.
    pub fn kind(&self) -> Type {
        match self {
            Self::F32(_) => Type::F32,
            Self::F64(_) => Type::F64,
            Self::I64(_) => Type::I64,
            Self::I32(_) => Type::I32,
            Self::U8(_) => Type::U8,
            Self::Bool(_) => Type::Bool,
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::F32(v) => v.len(),
            Self::F64(v) => v.len(),
            Self::I64(v) => v.len(),
            Self::I32(v) => v.len(),
            Self::U8(v) => v.len(),
            Self::Bool(v) => v.len(),
        }
    }
}

impl Value {
    /// A tensor.
    ///
    /// # Panics
    /// When the numbers are not as many as the shape says.
    pub fn new(shape: &[usize], data: Data) -> Self {
        assert_eq!(
            data.len(),
            shape.iter().product::<usize>(),
            "numbers of {shape:?}"
        );
        Self {
            shape: shape.to_vec(),
            data,
        }
    }

    /// A tensor of f32.
    ///
    /// # Panics
    /// As [`Value::new`].
    pub fn f32(shape: &[usize], values: Vec<f32>) -> Self {
        Self::new(shape, Data::F32(values))
    }

    /// The numbers, where they are f32.
    pub fn as_f32(&self) -> Option<&[f32]> {
        match &self.data {
            Data::F32(values) => Some(values),
            _ => None,
        }
    }

    /// Number of bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.data.len() * self.data.kind().size()
    }

    /// Its numbers, little-endian.
    pub(crate) fn to_le_bytes(&self) -> Vec<u8> {
        match &self.data {
            Data::F32(v) => v.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Data::F64(v) => v.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Data::I64(v) => v.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Data::I32(v) => v.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Data::U8(v) => v.clone(),
            Data::Bool(v) => v.iter().map(|v| u8::from(*v)).collect(),
        }
    }
}
