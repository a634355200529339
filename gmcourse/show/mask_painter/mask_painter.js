// The mask painter: masks that the reader changes, and what can be seen through them.

import { showKernels } from "./kernels.js";
import { showOrders } from "./orders.js";

function render({ model, el }) {
  (model.get("kind") === "orders" ? showOrders : showKernels)(el, model.get("start"));
}

export default { render };
