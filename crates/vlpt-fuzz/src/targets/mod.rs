//! The doors.

mod archives;
mod http;
mod images;
mod pixels;
mod prompts;
mod resample;
mod sets;
mod settings;
mod text;
mod weights;

use crate::{Target, seeds};

pub(crate) use http::PROMPT;
pub(crate) use prompts::{FILES as PROMPT_FILES, clip};

/// Every target.
pub const TARGETS: &[Target] = &[
    Target {
        name: "image",
        summary: "decoding of every image format, by what the first bytes say",
        run: images::run,
        seeds: seeds::images,
    },
    Target {
        name: "resample",
        summary: "resizing and cropping, against a scalar program written from Pillow's description",
        run: resample::run,
        seeds: seeds::resample,
    },
    Target {
        name: "tokenizer",
        summary: "texts to tokens and back",
        run: text::tokenizer,
        seeds: seeds::texts,
    },
    Target {
        name: "vocabulary",
        summary: "vocab.json and merges.txt of a model folder",
        run: text::vocabulary,
        seeds: seeds::vocabularies,
    },
    Target {
        name: "safetensors",
        summary: "header and tensors of a safetensors file",
        run: weights::safetensors,
        seeds: seeds::safetensors,
    },
    Target {
        name: "model_folder",
        summary: "config.json, preprocessor_config.json and the weight file of a model folder",
        run: weights::model_folder,
        seeds: seeds::model_folders,
    },
    Target {
        name: "checkpoint",
        summary: "files of torch.save, of both formats",
        run: weights::checkpoint,
        seeds: seeds::checkpoints,
    },
    Target {
        name: "pickle",
        summary: "the pickle machine, inside a zip that is whole",
        run: weights::pickle,
        seeds: seeds::pickles,
    },
    Target {
        name: "zip",
        summary: "zip archives and their members",
        run: archives::zip,
        seeds: seeds::zips,
    },
    Target {
        name: "tar",
        summary: "tar archives and their members",
        run: archives::tar,
        seeds: seeds::tars,
    },
    Target {
        name: "webdataset",
        summary: "a WebDataset whose only shard of training images is the input",
        run: archives::webdataset,
        seeds: seeds::tars,
    },
    Target {
        name: "parquet",
        summary: "a data set in Parquet: columns of images and labels",
        run: archives::parquet,
        seeds: seeds::parquets,
    },
    Target {
        name: "arrow",
        summary: "a data set in Arrow's IPC format: columns of images and labels",
        run: archives::arrow,
        seeds: seeds::arrows,
    },
    Target {
        name: "index_files",
        summary: "labels.txt, train.txt and a zip of an ELEVATER folder",
        run: sets::index_files,
        seeds: seeds::index_files,
    },
    Target {
        name: "split_file",
        summary: "split_zhou_*.json beside a folder of images",
        run: sets::split_file,
        seeds: seeds::split_files,
    },
    Target {
        name: "list_jsonl",
        summary: "a few-shot list as JSON Lines beside a folder of images",
        run: sets::list_jsonl,
        seeds: seeds::lists_jsonl,
    },
    Target {
        name: "list_pickle",
        summary: "a few-shot list as CoOp's code pickles it",
        run: sets::list_pickle,
        seeds: seeds::lists_pickle,
    },
    Target {
        name: "manifest_csv",
        summary: "a manifest as CSV",
        run: sets::manifest_csv,
        seeds: seeds::manifests_csv,
    },
    Target {
        name: "manifest_jsonl",
        summary: "a manifest as JSON Lines",
        run: sets::manifest_jsonl,
        seeds: seeds::manifests_jsonl,
    },
    Target {
        name: "coco",
        summary: "a COCO index file and a zip of an ELEVATER folder",
        run: sets::coco,
        seeds: seeds::cocos,
    },
    Target {
        name: "fiftyone",
        summary: "FiftyOne's labels.json beside a folder of images",
        run: sets::fiftyone,
        seeds: seeds::fiftyones,
    },
    Target {
        name: "saved_set",
        summary: "dataset_dict.json, state.json and dataset_info.json beside Arrow files",
        run: sets::saved_set,
        seeds: seeds::saved_sets,
    },
    Target {
        name: "cifar_batch",
        summary: "a pickled batch of CIFAR-10, with the names of its classes",
        run: pixels::cifar_batch,
        seeds: seeds::cifar_batches,
    },
    Target {
        name: "idx",
        summary: "idx files of images and labels, as of MNIST, plain or of gzip",
        run: pixels::idx,
        seeds: seeds::idx_files,
    },
    Target {
        name: "subset",
        summary: "the subset.json of a few-shot draw",
        run: sets::subset,
        seeds: seeds::subsets,
    },
    Target {
        name: "configuration",
        summary: "settings of a run as TOML, and overrides",
        run: settings::configuration,
        seeds: seeds::configurations,
    },
    Target {
        name: "events",
        summary: "the events.jsonl that a run writes and reads again",
        run: settings::events,
        seeds: seeds::events,
    },
    Target {
        name: "prompt_folder",
        summary: "a prompt folder from somebody else",
        run: prompts::run,
        seeds: seeds::prompt_folders,
    },
    Target {
        name: "http_request",
        summary: "requests to the server: paths, headers and bodies of each interface",
        run: http::run,
        seeds: seeds::http_requests,
    },
];
