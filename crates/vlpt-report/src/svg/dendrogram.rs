//! Trees of clusterings, alone or at the side of a heat map.

use std::fmt::Write as _;

use super::axis::Axis;
use super::{AXIS, heading, heading_width, open, rule, shortened, text, width_of};
use crate::escape::escape;

/// Two clusters that become one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Merge {
    /// One cluster: numbers below the number of items are items, the cluster of step k has the
    /// number `items + k`.
    pub left: usize,
    /// The other cluster.
    pub right: usize,
    /// Distance at which they join, 0 or more.
    pub distance: f64,
}

/// An order of items with the clustering that it comes from. Empty: the order given, no tree.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tree {
    /// Places of the items in the order in which they are shown; empty: as they come.
    pub order: Vec<usize>,
    /// The steps of the clustering, one less than items; empty: no tree is drawn.
    pub merges: Vec<Merge>,
}

/// Where the leaves of a tree stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Leaves below each other, the root to the right of them.
    Right,
    /// Leaves beside each other, the root below them.
    Below,
}

impl Tree {
    /// The order for this many items: the one given where it names each of them once, else as they
    /// come.
    pub fn order_of(&self, items: usize) -> Vec<usize> {
        let mut sorted = self.order.clone();
        sorted.sort_unstable();
        if sorted.iter().copied().eq(0..items) {
            self.order.clone()
        } else {
            (0..items).collect()
        }
    }

    /// Whether order and merges, where given, are those of this many items.
    pub fn fits(&self, items: usize) -> bool {
        (self.order.is_empty() || self.order_of(items) == self.order)
            && (self.merges.is_empty() || self.is_whole(items))
    }

    /// Whether the merges join all items, each cluster once.
    fn is_whole(&self, items: usize) -> bool {
        let mut open = vec![true; items];
        for merge in &self.merges {
            for cluster in [merge.left, merge.right] {
                match open.get_mut(cluster) {
                    Some(free) if *free => *free = false,
                    _ => return false,
                }
            }
            if !(merge.distance.is_finite() && merge.distance >= 0.0) {
                return false;
            }
            open.push(true);
        }
        items > 0 && self.merges.len() + 1 == items
    }

    /// The lines of the tree, whose first leaf is half a `step` from `(x, y)` and whose root is at
    /// most `depth` away; none where the merges are not those of the items.
    pub(super) fn branches(
        &self,
        names: &[String],
        (x, y): (f64, f64),
        step: f64,
        depth: f64,
        side: Side,
    ) -> String {
        let items = names.len();
        if self.merges.is_empty() || !self.is_whole(items) {
            return String::new();
        }
        let most = self.merges.iter().map(|m| m.distance).fold(0.0, f64::max);
        let scale = if most > 0.0 { depth / most } else { 0.0 };
        // for each cluster its place along the leaves, its place away from them, and its items
        let mut clusters = vec![(0.0, 0.0, 0usize); items];
        for (place, item) in self.order_of(items).into_iter().enumerate() {
            clusters[item] = ((place as f64 + 0.5) * step, 0.0, 1);
        }
        let mut svg = format!("<g class=\"axis\" fill=\"none\" stroke=\"{AXIS}\">\n");
        for merge in &self.merges {
            let (one, two) = (clusters[merge.left], clusters[merge.right]);
            let away = merge.distance * scale;
            let path = match side {
                Side::Right => format!(
                    "M{:.1} {:.1}H{:.1}V{:.1}H{:.1}",
                    x + one.1,
                    y + one.0,
                    x + away,
                    y + two.0,
                    x + two.1
                ),
                Side::Below => format!(
                    "M{:.1} {:.1}V{:.1}H{:.1}V{:.1}",
                    x + one.0,
                    y + one.1,
                    y + away,
                    x + two.0,
                    y + two.1
                ),
            };
            let count = one.2 + two.2;
            let _ = writeln!(
                svg,
                "<path d=\"{path}\"><title>{count} tasks join at distance {:.4}</title></path>",
                merge.distance
            );
            clusters.push((f64::midpoint(one.0, two.0), away, count));
        }
        svg + "</g>\n"
    }
}

const STEP: f64 = 22.0;
const DEPTH: f64 = 420.0;
const TOP: f64 = 36.0;

/// Draws a tree alone: names on the left, the root on the right, an axis of distances below.
pub fn dendrogram(title: &str, names: &[String], tree: &Tree) -> String {
    let shown: Vec<_> = names.iter().map(|name| shortened(name, 28)).collect();
    let left = shown.iter().map(|n| width_of(n)).fold(0.0, f64::max) + 20.0;
    let bottom = TOP + STEP * names.len() as f64;
    let width = (left + DEPTH + 30.0).max(heading_width(title));
    let mut svg = open(width, bottom + 46.0, title);
    svg += &heading(6.0, 18.0, title);
    for (place, item) in tree.order_of(names.len()).into_iter().enumerate() {
        let y = TOP + (place as f64 + 0.5) * STEP + 4.0;
        svg += &text(left - 8.0, y, "end", &shown[item]).replacen(
            "</text>",
            &format!("<title>{}</title></text>", escape(&names[item])),
            1,
        );
    }
    if !tree.merges.is_empty() && tree.is_whole(names.len()) {
        let most = tree.merges.iter().map(|m| m.distance).fold(0.0, f64::max);
        let axis = Axis::around([0.0, most].into_iter(), 5);
        for tick in axis.ticks() {
            let x = axis.place(tick, left, left + DEPTH);
            svg += &rule("grid", (x, TOP), (x, bottom));
            svg += &text(x, bottom + 16.0, "middle", &axis.label(tick));
        }
        svg += &text(left + DEPTH / 2.0, bottom + 36.0, "middle", "distance");
        let depth = axis.place(most, left, left + DEPTH) - left;
        svg += &tree.branches(names, (left, TOP), STEP, depth, Side::Right);
    }
    svg + "</svg>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(n: usize) -> Vec<String> {
        (0..n).map(|i| format!("task <{i}>")).collect()
    }

    fn merge(left: usize, right: usize, distance: f64) -> Merge {
        Merge {
            left,
            right,
            distance,
        }
    }

    fn tree() -> Tree {
        Tree {
            order: vec![1, 0, 2],
            merges: vec![merge(0, 1, 0.5), merge(2, 3, 2.0)],
        }
    }

    #[test]
    fn branches_join_at_their_distances() {
        let svg = tree().branches(&names(3), (100.0, 0.0), 10.0, 40.0, Side::Right);
        // items 0 and 1 stand second and first; a quarter of the depth away they join
        assert!(svg.contains("M100.0 15.0H110.0V5.0H100.0"), "{svg}");
        assert!(svg.contains("M100.0 25.0H140.0V10.0H110.0"), "{svg}");
        assert!(svg.contains("3 tasks join at distance 2.0000"), "{svg}");
    }

    #[test]
    fn a_tree_of_other_items_is_not_drawn_and_said_not_to_fit() {
        let twice = Tree {
            order: vec![],
            merges: vec![merge(0, 1, 0.5), merge(1, 3, 2.0)],
        };
        for (tree, items) in [(tree(), 4), (tree(), 0), (twice, 3)] {
            assert!(!tree.fits(items));
            let at = (0.0, 0.0);
            assert!(
                tree.branches(&names(items), at, 1.0, 1.0, Side::Below)
                    .is_empty()
            );
            assert_eq!(tree.order_of(items), (0..items).collect::<Vec<_>>());
        }
        assert!(tree().fits(3) && Tree::default().fits(7));
    }

    #[test]
    fn names_stand_in_the_order_of_the_tree() {
        let svg = dendrogram("tree", &names(3), &tree());
        let place = |i: usize| svg.find(&format!("task &lt;{i}&gt;")).unwrap();
        assert!(place(1) < place(0) && place(0) < place(2), "{svg}");
    }

    #[test]
    fn equal_items_and_none_are_drawn_too() {
        let equal = Tree {
            order: vec![],
            merges: vec![merge(0, 1, 0.0)],
        };
        let svg = dendrogram("tree", &names(2), &equal);
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        assert!(dendrogram("tree", &[], &Tree::default()).ends_with("</svg>\n"));
    }
}
