pub mod kind; pub mod point; pub mod topic; pub mod unit;
