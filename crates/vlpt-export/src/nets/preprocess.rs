//! From a decoded image of any size to the tower's pixels, equal to this program's own to the last bit.
//!
//! Pillow's resampler as two products with matrices whose weights the graph computes in f64 from the
//! image's size: antialiased filter, rows divided by their sum, rounded to 22-bit fixed point; each product is a
//! sum of whole numbers, exact in f64, and is rounded to 8 bits before the next. Rows of the matrices are those
//! pixels of the resized image that the square keeps, so cropping is a choice of rows, and padding rows of zeros.

use vlpt_data::image::{Interpolation, Preprocess, ResizeMode, ResizeOrder};

use crate::onnx::{Attribute, Builder, Dim, Edge};
use crate::value::{Data, Type, Value};

/// The name of the input: u8, height x width x 3, red, green, blue.
const IMAGE: &str = "image";

/// Steps of a weight in fixed point.
const FIXED: f64 = (1 << 22) as f64;

/// Declares the input and gives the tower's pixels (1 x 3 x side x side).
pub(crate) fn preprocess(b: &mut Builder, view: &Preprocess) -> Edge {
    b.part("preprocess");
    let any = [Dim::Any("height"), Dim::Any("width"), Dim::Fixed(3)];
    let image = b.input(IMAGE, Type::U8, &any);
    let size = b.node("Shape", &[&image]);
    let [height, width] = [0, 1].map(|axis| Axis::new(b, &size, axis));
    let [tall, wide] = resized(b, view, [&height, &width]);
    let pixels = cast(b, &image, Type::F64);
    let pixels = b.transpose(&pixels, &[2, 0, 1]);
    let (down, has_row) = matrix(b, view, &height, &tall);
    let (across, has_column) = matrix(b, view, &width, &wide);
    let across = b.transpose(&across, &[1, 0]);
    let mut square = {
        let rows = b.node("MatMul", &[&pixels, &across]);
        let rows = rounded(b, &rows);
        let square = b.node("MatMul", &[&down, &rows]);
        rounded(b, &square)
    };
    if view.resize_order == ResizeOrder::Pillow13 {
        let columns = b.node("MatMul", &[&down, &pixels]);
        let columns = rounded(b, &columns);
        let other = b.node("MatMul", &[&columns, &across]);
        let other = rounded(b, &other);
        let first = vertical_first(b, [&height.length, &tall], [&width.length, &wide]);
        square = b.node("Where", &[&first, &other, &square]);
    }
    if view.resize == ResizeMode::Longest {
        let has_column = b.transpose(&has_column, &[1, 0]);
        let inside = b.node("And", &[&has_row, &has_column]);
        let fill = double(b, f64::from(view.fill));
        square = b.node("Where", &[&inside, &square, &fill]);
    }
    normalised(b, view, &square)
}

/// An axis of the image: its length as a number of f64 in a row of one, and the numbers of its pixels.
struct Axis {
    length: Edge,
    numbers: Edge,
}

impl Axis {
    fn new(b: &mut Builder, size: &Edge, axis: i64) -> Self {
        let own = b.slice(size, 0, axis, axis + 1);
        let count = b.reshape(&own, &[]);
        let [from, step] = [0, 1].map(|v| b.constant(Value::new(&[], Data::I64(vec![v]))));
        let numbers = b.node("Range", &[&from, &count, &step]);
        Self {
            length: cast(b, &own, Type::F64),
            numbers: cast(b, &numbers, Type::F64),
        }
    }
}

/// Sides of the resized image.
fn resized(b: &mut Builder, view: &Preprocess, sides: [&Axis; 2]) -> [Edge; 2] {
    let n = double(b, f64::from(view.image_size));
    let [height, width] = sides.map(|side| side.length.clone());
    match view.resize {
        ResizeMode::Squash => {
            let row = Value::new(&[1], Data::F64(vec![f64::from(view.image_size)]));
            let side = b.constant(row);
            [side.clone(), side]
        }
        // the shortest side is `n`, and the other is cut to whole pixels
        ResizeMode::Shortest => {
            let short = b.node("Min", &[&height, &width]);
            [height, width].map(|side| {
                let exact = b.node("Mul", &[&side, &n]);
                let exact = b.node("Div", &[&exact, &short]);
                b.node("Floor", &[&exact])
            })
        }
        ResizeMode::Longest => {
            let long = b.node("Max", &[&height, &width]);
            let ratio = b.node("Div", &[&long, &n]);
            let one = double(b, 1.0);
            [height, width].map(|side| {
                let exact = b.node("Div", &[&side, &ratio]);
                let rounded = b.node("Round", &[&exact]);
                b.node("Max", &[&rounded, &one])
            })
        }
    }
}

/// The matrix (side x length) that makes the square's pixels along an axis which is resized to `to` pixels,
/// and which of them exist (side x 1).
fn matrix(b: &mut Builder, view: &Preprocess, axis: &Axis, to: &Edge) -> (Edge, Edge) {
    let n = view.image_size as usize;
    let [zero, half, one] = [0.0, 0.5, 1.0].map(|v| double(b, v));
    let side = double(b, n as f64);
    // the pixels kept begin at the middle, halves to even; fewer pixels begin after the padding
    let over = b.node("Sub", &[to, &side]);
    let middle = b.node("Mul", &[&over, &half]);
    let cut = b.node("Round", &[&middle]);
    let cut = b.node("Max", &[&cut, &zero]);
    let padded = b.node("Neg", &[&middle]);
    let padded = b.node("Floor", &[&padded]);
    let padded = b.node("Max", &[&padded, &zero]);
    let begin = b.node("Sub", &[&cut, &padded]);
    let rows = (0..n).map(|row| row as f64).collect();
    let rows = b.constant(Value::new(&[n, 1], Data::F64(rows)));
    let rows = b.node("Add", &[&rows, &begin]);
    let behind = b.node("GreaterOrEqual", &[&rows, &zero]);
    let before = b.node("Less", &[&rows, to]);
    let exists = b.node("And", &[&behind, &before]);

    let scale = b.node("Div", &[&axis.length, to]);
    let stretch = b.node("Max", &[&scale, &one]);
    let inverse = b.node("Div", &[&one, &stretch]);
    let reach = match view.interpolation {
        Interpolation::Bicubic => 2.0,
        Interpolation::Bilinear => 1.0,
    };
    let reach = double(b, reach);
    let reach = b.node("Mul", &[&reach, &stretch]);
    let centre = b.node("Add", &[&rows, &half]);
    let centre = b.node("Mul", &[&centre, &scale]);
    let first = b.node("Sub", &[&centre, &reach]);
    let first = b.node("Add", &[&first, &half]);
    let first = b.node("Max", &[&first, &zero]);
    let first = b.node("Floor", &[&first]);
    let end = b.node("Add", &[&centre, &reach]);
    let end = b.node("Add", &[&end, &half]);
    let end = b.node("Floor", &[&end]);

    let distance = b.node("Sub", &[&axis.numbers, &centre]);
    let distance = b.node("Add", &[&distance, &half]);
    let distance = b.node("Mul", &[&distance, &inverse]);
    let distance = b.node("Abs", &[&distance]);
    let weights = filter(b, view.interpolation, &distance);
    let behind = b.node("GreaterOrEqual", &[&axis.numbers, &first]);
    let before = b.node("Less", &[&axis.numbers, &end]);
    let inside = b.node("And", &[&behind, &before]);
    let inside = b.node("And", &[&inside, &exists]);
    let weights = b.node("Where", &[&inside, &weights, &zero]);
    let sums = b.ints(&[1]);
    let sums = b.node("ReduceSum", &[&weights, &sums]);
    // of rows that do not exist
    let sums = b.node("Where", &[&exists, &sums, &one]);
    let weights = b.node("Div", &[&weights, &sums]);
    (fixed(b, &weights), exists)
}

/// The filter at distances from its centre, in this program's order of operations.
fn filter(b: &mut Builder, interpolation: Interpolation, x: &Edge) -> Edge {
    let [zero, one, two] = [0.0, 1.0, 2.0].map(|v| double(b, v));
    let near = b.node("Less", &[x, &one]);
    if interpolation == Interpolation::Bilinear {
        let inner = b.node("Sub", &[&one, x]);
        return b.node("Where", &[&near, &inner, &zero]);
    }
    // ((a + 2) x - (a + 3)) x x + 1 and (((x - 5) x + 8) x - 4) a, with a = -1/2
    let [slope, offset, five, eight, four, a] =
        [1.5, 2.5, 5.0, 8.0, 4.0, -0.5].map(|v| double(b, v));
    let inner = b.node("Mul", &[&slope, x]);
    let inner = b.node("Sub", &[&inner, &offset]);
    let inner = b.node("Mul", &[&inner, x]);
    let inner = b.node("Mul", &[&inner, x]);
    let inner = b.node("Add", &[&inner, &one]);
    let outer = b.node("Sub", &[x, &five]);
    let outer = b.node("Mul", &[&outer, x]);
    let outer = b.node("Add", &[&outer, &eight]);
    let outer = b.node("Mul", &[&outer, x]);
    let outer = b.node("Sub", &[&outer, &four]);
    let outer = b.node("Mul", &[&outer, &a]);
    let far = b.node("Less", &[x, &two]);
    let outer = b.node("Where", &[&far, &outer, &zero]);
    b.node("Where", &[&near, &inner, &outer])
}

/// Weights in fixed point, halves away from zero.
fn fixed(b: &mut Builder, weights: &Edge) -> Edge {
    let [steps, half] = [FIXED, 0.5].map(|v| double(b, v));
    let scaled = b.node("Mul", &[weights, &steps]);
    let size = b.node("Abs", &[&scaled]);
    let size = b.node("Add", &[&size, &half]);
    let size = b.node("Floor", &[&size]);
    let sign = b.node("Sign", &[&scaled]);
    b.node("Mul", &[&sign, &size])
}

/// Sums in fixed point as whole numbers of 0 to 255, halves up.
fn rounded(b: &mut Builder, sums: &Edge) -> Edge {
    let [half, steps, least, most] = [FIXED / 2.0, FIXED, 0.0, 255.0].map(|v| double(b, v));
    let sums = b.node("Add", &[sums, &half]);
    let sums = b.node("Div", &[&sums, &steps]);
    let sums = b.node("Floor", &[&sums]);
    b.node("Clip", &[&sums, &least, &most])
}

/// Pillow's rule since 12.2, whether rows are combined first: the height falls, and by more than twice what the
/// width does. Of each side its length before and after.
fn vertical_first(b: &mut Builder, height: [&Edge; 2], width: [&Edge; 2]) -> Edge {
    let [zero, two] = [0.0, 2.0].map(|v| double(b, v));
    let falls = b.node("Sub", &height);
    let across = b.node("Sub", &width);
    let across = b.node("Mul", &[&across, &two]);
    let least = b.node("Max", &[&across, &zero]);
    b.node("Less", &[&least, &falls])
}

/// (0..=255 / 255 - mean) / std of each channel, as images x 3 x side x side of f32.
fn normalised(b: &mut Builder, view: &Preprocess, square: &Edge) -> Edge {
    let x = cast(b, square, Type::F32);
    let white = b.float(255.0);
    let x = b.node("Div", &[&x, &white]);
    let [mean, std] =
        [view.mean, view.std].map(|channels| b.constant(Value::f32(&[3, 1, 1], channels.to_vec())));
    let x = b.node("Sub", &[&x, &mean]);
    let x = b.node("Div", &[&x, &std]);
    let axis = b.ints(&[0]);
    b.node("Unsqueeze", &[&x, &axis])
}

fn double(b: &mut Builder, value: f64) -> Edge {
    b.constant(Value::new(&[], Data::F64(vec![value])))
}

fn cast(b: &mut Builder, edge: &Edge, kind: Type) -> Edge {
    b.told("Cast", &[edge], &[("to", Attribute::Int(kind.code()))])
}
