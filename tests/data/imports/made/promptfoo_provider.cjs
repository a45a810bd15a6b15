// Two systems of promptfoo's own kind that need no model: one adds, one says the same number every time.
class Fixture {
  constructor(options) {
    this.label = options.label;
    this.config = options.config || {};
  }

  id() {
    return `fixture:${this.config.does}`;
  }

  async callApi(prompt, context) {
    const { a, b } = context.vars;
    if (this.config.breaks === a) return { error: "the adder is away" };
    if (this.config.silent === a) return { output: null };
    if (this.config.does === "guess") return { output: "20" };
    const sum = a % 10 === 5 ? a + b + 1 : a + b; // wrong about every first number that ends with a five
    return {
      output: String(sum),
      tokenUsage: { total: 12, prompt: 9, completion: 3 },
      cost: 0.00002,
    };
  }
}

module.exports = Fixture;
