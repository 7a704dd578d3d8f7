//! Writes the synthetic tasks as PNG files in ImageFolder layout, to look at them or to compare with
//! other software:
//!
//!     cargo run -p vlpt-data --example export_synthetic -- OUT [SEED]
//!
//! gives `OUT/<task>/<split>/<class>/<index>.png`.

use std::env;
use std::error::Error;
use std::path::PathBuf;

use fs_err as fs;
use vlpt_data::synthetic;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let out = PathBuf::from(
        arguments
            .next()
            .ok_or("usage: export_synthetic OUT [SEED]")?,
    );
    let seed = arguments.next().map_or(Ok(0), |text| text.parse())?;
    for name in synthetic::names() {
        let task = synthetic::task(name, seed)?;
        let splits = [
            ("train", Some(&task.train)),
            ("val", task.val.as_ref()),
            ("test", Some(&task.test)),
        ];
        for (part, split) in splits {
            for (index, item) in split
                .iter()
                .flat_map(|split| split.samples.iter().enumerate())
            {
                let class = &task.classes[item.labels[0] as usize];
                let folder = out.join(name).join(part).join(class);
                fs::create_dir_all(&folder)?;
                fs::write(folder.join(format!("{index}.png")), item.image.read()?)?;
            }
        }
    }
    Ok(())
}
