//! Tables as the documentation shows them.

use crate::format::Format;
use crate::readers::layout::{Gives, Item, Layout};

const PHOTOS: Item = Item::Images(&["photos/1.jpg", "photos/2.jpg", "photos/3.jpg"]);

const fn csv(
    name: &'static str,
    sign: &'static str,
    flags: &'static str,
    example: &'static [Item],
    gives: Gives,
) -> Layout {
    Layout {
        name,
        format: Format::Csv,
        sign,
        open: "",
        flags,
        example,
        gives,
    }
}

/// JSON Lines.
pub(in crate::readers) const LAYOUTS_JSONL: &[Layout] = &[
    Layout {
        name: "JSON Lines",
        format: Format::Jsonl,
        sign: "a `.jsonl` or `.ndjson` file whose first line has an image key and a label key",
        open: "",
        flags: "",
        example: &[
            Item::Text(
                "manifest.jsonl",
                "{\"path\": \"photos/1.jpg\", \"label\": \"cat\", \"split\": \"train\"}\n{\"path\": \"photos/2.jpg\", \"label\": \"dog\", \"split\": \"train\"}\n{\"path\": \"photos/3.jpg\", \"label\": \"cat\", \"split\": \"test\"}\n",
            ),
            PHOTOS,
        ],
        gives: Gives::single(&["cat", "dog"], [2, 0, 1]),
    },
    Layout {
        name: "Hugging Face metadata, JSON Lines",
        format: Format::Jsonl,
        sign: "`metadata.jsonl` in each folder of a split, with `file_name` and a label key",
        open: "",
        flags: "",
        example: &[
            Item::Text(
                "train/metadata.jsonl",
                "{\"file_name\": \"1.jpg\", \"label\": \"cat\"}\n{\"file_name\": \"2.jpg\", \"label\": \"dog\"}\n",
            ),
            Item::Images(&["train/1.jpg", "train/2.jpg"]),
            Item::Text(
                "test/metadata.jsonl",
                "{\"file_name\": \"3.jpg\", \"label\": \"dog\"}\n",
            ),
            Item::Image("test/3.jpg"),
        ],
        gives: Gives::single(&["cat", "dog"], [2, 0, 1]),
    },
];

/// Tables of text.
pub(in crate::readers) const LAYOUTS_CSV: &[Layout] = &[
    csv(
        "table",
        "a `.csv` or `.tsv` file whose header has an image column and a label column",
        "",
        &[
            Item::Text(
                "manifest.csv",
                "path,label,split\nphotos/1.jpg,cat,train\nphotos/2.jpg,dog,train\nphotos/3.jpg,cat,test\n",
            ),
            PHOTOS,
        ],
        Gives::single(&["cat", "dog"], [2, 0, 1]),
    ),
    csv(
        "table with columns of other names",
        "any `.csv` or `.tsv` file: its columns have to be named",
        "--image-column foto --label-column art",
        &[
            Item::Text(
                "liste.csv",
                "nr;foto;art\n1;photos/1.jpg;cat\n2;photos/2.jpg;dog\n3;photos/3.jpg;cat\n",
            ),
            PHOTOS,
        ],
        Gives::single(&["cat", "dog"], [2, 0, 1]),
    ),
    csv(
        "Kaggle table",
        "`train.csv` with ids beside a folder of images; the ending of the images is found, `test.csv` without labels is passed over with a note",
        "",
        &[
            Item::Text(
                "train.csv",
                "id,breed\n000b,boxer\n0010,beagle\n001c,boxer\n",
            ),
            Item::Images(&["train/000b.jpg", "train/0010.jpg", "train/001c.jpg"]),
            Item::Text("test.csv", "id\n00a3\n"),
            Item::Image("test/00a3.jpg"),
            Item::Text("sample_submission.csv", "id,beagle,boxer\n00a3,0.5,0.5\n"),
        ],
        Gives::single(&["beagle", "boxer"], [2, 0, 1]),
    ),
    csv(
        "table of another machine",
        "a table with absolute paths; the flag names the folder that has their last parts",
        "--image-root DATA/photos",
        &[
            Item::Text(
                "manifest.csv",
                "path,label\n/home/me/photos/1.jpg,cat\nC:\\Users\\me\\photos\\2.jpg,dog\n/mnt/photos/3.jpg,cat\n",
            ),
            PHOTOS,
        ],
        Gives::single(&["cat", "dog"], [2, 0, 1]),
    ),
    csv(
        "table without a header",
        "a first line with the name of an image; columns are named by number, counted from 1, where there are more than two",
        "--image-column 2 --label-column 3",
        &[
            Item::Text(
                "manifest.tsv",
                "a\tphotos/1.jpg\tcat\nb\tphotos/2.jpg\tdog\nc\tphotos/3.jpg\tcat\n",
            ),
            PHOTOS,
        ],
        Gives::single(&["cat", "dog"], [2, 0, 1]),
    ),
    csv(
        "one-hot table",
        "an image column and columns of 0 and 1, one a class; several labels an image where some row has not exactly one 1",
        "",
        &[
            Item::Text(
                "train.csv",
                "image_id,healthy,rust,scab\nTrain_0,1,0,0\nTrain_1,1,0,0\nTrain_2,0,1,1\n",
            ),
            Item::Images(&[
                "images/Train_0.jpg",
                "images/Train_1.jpg",
                "images/Train_2.jpg",
            ]),
        ],
        Gives::multi(&["healthy", "rust", "scab"], [2, 0, 1]),
    ),
    csv(
        "Roboflow",
        "`_classes.csv` in each folder of a split",
        "",
        &[
            Item::Text(
                "train/_classes.csv",
                "filename, car, dog\n1.jpg, 1, 1\n2.jpg, 0, 1\n",
            ),
            Item::Images(&["train/1.jpg", "train/2.jpg"]),
            Item::Text("valid/_classes.csv", "filename, car, dog\n3.jpg, 1, 0\n"),
            Item::Image("valid/3.jpg"),
            Item::Text("test/_classes.csv", "filename, car, dog\n4.jpg, 0, 0\n"),
            Item::Image("test/4.jpg"),
        ],
        Gives::multi(&["car", "dog"], [2, 1, 1]),
    ),
    csv(
        "table with several labels in a cell",
        "a column called `labels` with `;` between labels; other columns and other signs have to be named",
        "--label-separator pipe",
        &[
            Item::Text(
                "manifest.csv",
                "path,label,split\nphotos/1.jpg,sea|sky,train\nphotos/2.jpg,sky,train\nphotos/3.jpg,sea,test\n",
            ),
            PHOTOS,
        ],
        Gives::multi(&["sea", "sky"], [2, 0, 1]),
    ),
    csv(
        "Hugging Face metadata",
        "`metadata.csv` with `file_name` and a label column, in each folder of a split or in the folder above them",
        "",
        &[
            Item::Text(
                "metadata.csv",
                "file_name,label\ntrain/1.jpg,cat\ntrain/2.jpg,dog\ntest/3.jpg,dog\n",
            ),
            Item::Images(&["train/1.jpg", "train/2.jpg", "test/3.jpg"]),
        ],
        Gives::single(&["cat", "dog"], [2, 0, 1]),
    ),
];
