"""One question for each cause a law can name: the first rung of every ladder."""

QUESTIONS = {
    "sign": "Take one number and stretch it by 2: should the value rise or fall?",
    "reduction": "Independent parts add their log-probabilities. Over which axes is the sum, and which one stays?",
    "direction": "Two distributions take part. Which one are the samples from, and which one is scored?",
    "constant": "Put in the trivial case (identity, uniform, both sides equal): what is left over?",
    "spread": "Is the number in your hand a standard deviation, a variance, or the logarithm of one?",
    "gradient": "Which tensors must carry a gradient here, and which must not?",
    "randomness": "Equal arguments gave unequal answers: whose noise did you use?",
    "overflow": "Try inputs of ±200 or log-probabilities of −1000: stay in logarithms to the end.",
    "shape": "Print the shape after every line. Where is the batch axis?",
    "dependence": "Does each term see only what it may see? Ask which sample each factor depends on.",
    "one-to-one": "How many inputs lead to this output, and which of them is in range?",
    "log-mean": "Which comes first, the logarithm or the mean?",
    "not-finite": "A NaN or an infinity: which step divides by 0, or takes the log of 0 or the exp of a large number?",
    "complex": "Real numbers are asked for. Of what negative number did you take a logarithm or a root?",
    "container": "Which type does your answer give back? A tensor is asked for; a list of numbers or an array will do.",
    "mutation": "Your answer writes into its own input, which is the caller's (`x -= b` does). Make a new tensor.",
    "": "Work one small case by hand and compare it with what your code gives.",
}
