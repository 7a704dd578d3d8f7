//! Self-contained HTML reports and SVG figures
