//! Where each set of the suite keeps its files.

/// How a set says which image is of which class and split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `split_zhou_*.json`.
    Split,
    /// `variants.txt` and `images_variant_{train,val,test}.txt`.
    Aircraft,
    /// `images/{train,val}/<wnid>/` and `classnames.txt`.
    ImageNet,
    /// One folder of class folders for testing, and `classnames.txt`; class folders are numbers
    /// (lines of the file) or wnids.
    Variant {
        /// Whether class folders are numbers.
        numbered: bool,
    },
}

/// One set of the suite.
#[derive(Debug)]
pub(super) struct Set {
    pub(super) name: &'static str,
    /// Usual name of the set's folder.
    pub(super) folder: &'static str,
    /// Folder with the images.
    pub(super) images: &'static str,
    /// Folder that paths of the split file start from.
    pub(super) paths_from: &'static str,
    /// The file that names the classes, and for most sets the splits.
    pub(super) file: &'static str,
    pub(super) kind: Kind,
}

impl Set {
    /// Whether a folder is called as the set's usually is: in CoOp's suite, or by torchvision, which unpacks the
    /// authors' archive.
    pub(super) fn is_called(&self, folder: &str) -> bool {
        let unpacked = match self.name {
            "Caltech101" => "caltech101",
            "OxfordPets" => "oxford-iiit-pet",
            "OxfordFlowers" => "flowers-102",
            _ => self.folder,
        };
        folder == self.folder || folder == unpacked
    }

    /// Where the file of this set comes from.
    pub(super) fn help(&self) -> String {
        match self.kind {
            Kind::Split => format!(
                "put {} into the folder: the data set page of the CoOp repository (DATASETS.md) links it",
                self.file
            ),
            Kind::Aircraft => format!(
                "{} and images_variant_{{train,val,test}}.txt are in the `data` folder of the set's own archive; put them beside {}/",
                self.file, self.images
            ),
            _ => format!(
                "put {} (lines of `wnid name`) into the folder: the data set page of the CoOp repository (DATASETS.md) links it",
                self.file
            ),
        }
    }
}

const fn split(
    name: &'static str,
    folder: &'static str,
    images: &'static str,
    file: &'static str,
) -> Set {
    Set {
        name,
        folder,
        images,
        paths_from: images,
        file,
        kind: Kind::Split,
    }
}

const fn variant(
    name: &'static str,
    folder: &'static str,
    images: &'static str,
    numbered: bool,
) -> Set {
    let kind = Kind::Variant { numbered };
    Set {
        name,
        folder,
        images,
        paths_from: images,
        file: "classnames.txt",
        kind,
    }
}

/// All sets; `StanfordCars` alone writes its paths from the folder of the set.
pub(super) const SETS: [Set; 15] = [
    split(
        "Caltech101",
        "caltech-101",
        "101_ObjectCategories",
        "split_zhou_Caltech101.json",
    ),
    split(
        "OxfordPets",
        "oxford_pets",
        "images",
        "split_zhou_OxfordPets.json",
    ),
    Set {
        name: "StanfordCars",
        folder: "stanford_cars",
        images: "cars_train",
        paths_from: "",
        file: "split_zhou_StanfordCars.json",
        kind: Kind::Split,
    },
    split(
        "OxfordFlowers",
        "oxford_flowers",
        "jpg",
        "split_zhou_OxfordFlowers.json",
    ),
    split("Food101", "food-101", "images", "split_zhou_Food101.json"),
    split("SUN397", "sun397", "SUN397", "split_zhou_SUN397.json"),
    split(
        "DescribableTextures",
        "dtd",
        "images",
        "split_zhou_DescribableTextures.json",
    ),
    split("EuroSAT", "eurosat", "2750", "split_zhou_EuroSAT.json"),
    split(
        "UCF101",
        "ucf101",
        "UCF-101-midframes",
        "split_zhou_UCF101.json",
    ),
    Set {
        name: "FGVCAircraft",
        folder: "fgvc_aircraft",
        images: "images",
        paths_from: "images",
        file: "variants.txt",
        kind: Kind::Aircraft,
    },
    Set {
        name: "ImageNet",
        folder: "imagenet",
        images: "images",
        paths_from: "images",
        file: "classnames.txt",
        kind: Kind::ImageNet,
    },
    variant(
        "ImageNetV2",
        "imagenetv2",
        "imagenetv2-matched-frequency-format-val",
        true,
    ),
    variant("ImageNetSketch", "imagenet-sketch", "images", false),
    variant("ImageNetA", "imagenet-adversarial", "imagenet-a", false),
    variant("ImageNetR", "imagenet-rendition", "imagenet-r", false),
];
