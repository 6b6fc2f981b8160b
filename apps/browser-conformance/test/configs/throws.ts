throw new Error("the config is broken");
