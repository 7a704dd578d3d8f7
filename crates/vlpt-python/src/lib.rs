//! The Python package `vlpt`, its part in Rust: the module `vlpt._vlpt`.
//!
//! It holds the fewest doors that the folder `python/vlpt` needs, whose classes and docstrings are what
//! users see. Long calls go through [`work::run`]: the interpreter is free meanwhile, Ctrl-C and progress are
//! answered by the thread that called, and no panic gets out.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of functions that Python calls are made for the call"
)]

mod command;
mod errors;
mod images;
mod model;
mod opened;
mod outputs;
mod pools;
mod predictor;
mod rows;
mod tuning;
mod work;

use pyo3::prelude::*;

/// The part of `vlpt` that is written in Rust; `import vlpt` instead.
#[pymodule]
#[pyo3(name = "_vlpt")]
mod module {
    #[pymodule_export]
    use crate::command::run;
    #[pymodule_export]
    use crate::images::images_of_folder;
    #[pymodule_export]
    use crate::model::Model;
    #[pymodule_export]
    use crate::pools::thread_count;
    #[pymodule_export]
    use crate::predictor::Predictor;
    #[pymodule_export]
    use crate::rows::{save_rows, to_json};
    #[pymodule_export]
    use crate::tuning::{name_of, tune};
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        module.add("DEFAULT_MODEL", vlpt_train::DEFAULT_MODEL)?;
        module.add("DEFAULT_TEMPLATE", vlpt_methods::zeroshot::DEFAULT_TEMPLATE)
    }
}
