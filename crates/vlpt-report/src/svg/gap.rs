//! Cells without a value.

/// Why a cell has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// It was tried and failed: drawn as a cross.
    Failed,
    /// Nobody did it yet: drawn as a stroke.
    NotRun,
    /// There is nothing to measure: left grey.
    Undefined,
}

impl Gap {
    /// Every reason, in the order of a legend.
    pub const ALL: [Self; 3] = [Self::Failed, Self::NotRun, Self::Undefined];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::NotRun => "not run",
            Self::Undefined => "not defined",
        }
    }
}

/// The ground of a cell without a value.
pub(super) const GREY: &str = "#d5dae0";
const MARK: &str = "#52606d";

/// The mark of a gap in the square of this side whose corner is `(x, y)`.
pub(super) fn mark(gap: Gap, x: f64, y: f64, side: f64) -> String {
    let (low, high) = (0.3 * side, 0.7 * side);
    let rise = format!(
        "M{:.1} {:.1}L{:.1} {:.1}",
        x + low,
        y + high,
        x + high,
        y + low
    );
    let path = match gap {
        Gap::Undefined => return String::new(),
        Gap::NotRun => rise,
        Gap::Failed => {
            format!(
                "{rise}M{:.1} {:.1}L{:.1} {:.1}",
                x + low,
                y + low,
                x + high,
                y + high
            )
        }
    };
    format!("<path d=\"{path}\" stroke=\"{MARK}\" stroke-width=\"1.6\"/>\n")
}
