//! A made-up NVML: the C interface of NVIDIA's driver, played from a profile, so that what reads it is tried through its
//! own loading path on a host without a GPU.
//!
//! Never: touches a device, opens a socket, panics across the border, or is part of what is shipped.
//!
//! The profile is the TOML file beside the library with the library's own name, else the file that
//! `MILLWRIGHT_FAKE_NVML` names, else `profiles/8xh100.toml`. Read `profile` for what can be played, then `play` for how
//! it moves, then `abi`, the C interface.

pub mod profile;

mod abi;
mod play;
