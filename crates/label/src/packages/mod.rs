//! Which files a package has, as package managers keep it: bytes in, paths out.

pub mod dpkg;
pub mod portage;
pub mod rpm;
