pub fn output() -> String {
    String::from("Hello, world!\n")
}
