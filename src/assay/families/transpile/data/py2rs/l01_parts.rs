pub fn output() -> String {
    let colours = ["red", "green", "blue"].join(", ");
    let sides = ["left", "right"].join(" | ");
    format!("{colours}.\n{sides}\nno line end\n{}\n", ["", ""].join("-"))
}
